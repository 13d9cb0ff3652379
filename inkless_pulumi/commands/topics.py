"""`inkless-pulumi topics …`: topics of a live cluster as a file, and the form of such a file."""

import json
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkless_pulumi.core.errors import ClusterError, InklessError

if TYPE_CHECKING:
    from inkless_pulumi.provider.topics.topic_set import DeclaredTopicInputs

__all__ = ["commands"]

commands = typer.Typer(
    help="Topics: export those of a live cluster, print the form of a topics file.",
    no_args_is_help=True,
)
_SET = "inkless:index:TopicSet"
_KINDS = {"classic": "inkless:index:ClassicTopic", "diskless": "inkless:index:DisklessTopic"}


@commands.command()
def schema() -> None:
    """Print the JSON Schema of a topics file, for editors and checks."""
    from inkless_pulumi.core.topic_file import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@commands.command()
def export(
    names: Annotated[
        str,
        typer.Argument(help="Names joined by commas; * stands for any characters."),
    ] = "*",
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("topics.yaml"),
    resource_name: Annotated[
        str, typer.Option("--name", help="The name of the TopicSet in the program.")
    ] = "topics",
    single: Annotated[
        bool, typer.Option("--single", help="Commands for a resource a topic, not for a TopicSet.")
    ] = False,
) -> None:
    """Write the topics of a live cluster to a file, and say how to import them.

    The connection is taken from the environment variable INKLESS_CONNECTION, as JSON:
    INKLESS_CONNECTION="$(pulumi stack output connection --json)".
    """
    if output.exists():
        raise InklessError(f"{output} exists already; choose another file with --output.")
    topics = _found(names)
    output.write_text(_as_yaml(topics), encoding="utf-8")
    typer.echo(f"{len(topics)} topics are in {output}. To import them, with INKLESS_CONNECTION set")
    typer.echo("as it is now (nothing in the cluster is changed):\n")
    if single:
        for name, topic in topics.items():
            typer.echo(_import_command(_KINDS[topic.kind], name, name))
        return
    typer.echo(_import_command(_SET, resource_name, names))
    typer.echo("\nand in the program:\n")
    arguments = f'{{"file": "{output}", "connection": connection}}'
    typer.echo(f'TopicSet("{resource_name}", {arguments})')


def _import_command(token: str, resource_name: str, id: str) -> str:
    parts = ["pulumi", "import", "--generate-code=false", token, resource_name, id]
    return shlex.join(parts)


def _found(selection: str) -> "dict[str, DeclaredTopicInputs]":
    """What an import of these topics would find."""
    from inkless_pulumi.provider.kafka.connection import Connections
    from inkless_pulumi.provider.resource import Context
    from inkless_pulumi.provider.topics.topic_set import TopicSet

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    context = Context("export", "urn:export", progress=tell, warn=tell)
    with closing(Connections()) as connections:
        found = TopicSet(connections.cluster).read(selection, None, None, context)
    if found is None:
        raise ClusterError(f"The cluster has no topics {selection}.")
    return dict(sorted(found[0].topics.items()))


def _as_yaml(topics: "dict[str, DeclaredTopicInputs]") -> str:
    import yaml

    content = {
        "topics": {
            name: topic.model_dump(exclude_none=True, exclude_defaults=True)
            for name, topic in topics.items()
        }
    }
    text: str = yaml.safe_dump(content, sort_keys=False)
    return text
