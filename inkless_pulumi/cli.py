"""The command line `inkless-pulumi`: sandboxes, previews without an account, topics of a cluster.

Deploying is Pulumi's own business (`pulumi up`); nothing here wraps it.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from inkless_pulumi.commands import previews, topics
from inkless_pulumi.commands.console import errors, progress
from inkless_pulumi.core.errors import InklessError, SandboxError

if TYPE_CHECKING:
    from inkless_pulumi.sandbox.home import Home

__all__ = ["app", "main"]

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sandbox = typer.Typer(
    help="A cloud account emulated on this machine, to deploy into for real.", no_args_is_help=True
)
app.add_typer(sandbox, name="sandbox")
app.add_typer(topics.commands, name="topics")
app.add_typer(previews.commands)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="INKLESS_SANDBOX_HOME",
        help="Where the sandbox is kept.  [default: .inkless-sandbox]",
    ),
]
ImageOption = Annotated[
    str | None,
    typer.Option(
        envvar="INKLESS_IMAGE",
        help="Upstream broker image.  [default: the newest supported, else a stand-in]",
    ),
]

# Each command imports what it needs itself: `--help` should not wait for a cloud's client library.


def main() -> None:
    """Run the command line; errors of ours are told without a traceback."""
    try:
        app()
    except InklessError as error:
        errors().print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors().print("\ninterrupted; the same command can be run again", style="red")
        sys.exit(130)


@app.command("engine")
def show_engine() -> None:
    """Find Pulumi's engine, or install or build it, and print its path."""
    from inkless_pulumi.sandbox.making import default_cache
    from inkless_pulumi.sandbox.toolchain import find_or_make_engine

    toolchain = find_or_make_engine(default_cache(), progress())
    typer.echo(f"{toolchain.pulumi} (Pulumi {toolchain.version})")


@app.command()
def overlay() -> None:
    """Fetch what goes into the broker image beside the package's own files, once."""
    from inkless_pulumi.sandbox.artefacts import fetch_overlay_artefacts

    typer.echo(fetch_overlay_artefacts(progress=progress()))


@sandbox.command()
def up(home: HomeOption = None, image: ImageOption = None) -> None:
    """Start a sandbox, or make whole what is left of one."""
    from inkless_pulumi.sandbox import lifecycle

    account = lifecycle.up(_home(home), image=image, progress=progress())
    console = Console(highlight=False, emoji=False)
    console.print(f"Running in {account.home.root}, broker image {account.image}", soft_wrap=True)
    if not account.diskless:
        console.print(f"No diskless topics: {account.diskless_reason}", soft_wrap=True)
    console.print(
        'To deploy into it: eval "$(inkless-pulumi sandbox env)", and once a stack\n'
        "inkless-pulumi sandbox configure STACK; then pulumi up, as ever."
    )


@sandbox.command()
def status(home: HomeOption = None) -> None:
    """Tell what runs; the exit status is 0 where all of it does."""
    from inkless_pulumi.sandbox import lifecycle

    seen = lifecycle.status(_home(home))
    if seen.sandbox is None:
        typer.echo(f"There is no sandbox in {_home(home).root}.")
        raise typer.Exit(1)
    table = Table("part", "state", "where")
    for part in seen.parts:
        table.add_row(part.name, part.state, part.where)
    console = Console(highlight=False, emoji=False)
    console.print(table)
    console.print(f"{seen.resources} resources, broker image {seen.sandbox.image}", soft_wrap=True)
    raise typer.Exit(0 if seen.healthy else 1)


@sandbox.command()
def down(home: HomeOption = None) -> None:
    """Remove a sandbox and all that was deployed into it."""
    from inkless_pulumi.sandbox import lifecycle

    lifecycle.down(_home(home), progress())


@sandbox.command()
def env(home: HomeOption = None) -> None:
    """Print the shell commands that make `pulumi` and `aws` use the sandbox, to be `eval`ed."""
    variables = _sandboxed_environment(_home(home))
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@sandbox.command()
def configure(
    stack: Annotated[str, typer.Argument(help="The stack; it is made where there is none.")],
    home: HomeOption = None,
    project: Annotated[Path, typer.Option(help="The directory with Pulumi.yaml.")] = Path(),
) -> None:
    """Set a stack's configuration to what a deployment into the sandbox needs."""
    import os

    from inkless_pulumi.sandbox import lifecycle
    from inkless_pulumi.sandbox.pulumi_stack import PulumiStack

    variables = _sandboxed_environment(_home(home))
    config = lifecycle.stack_config(_home(home))
    PulumiStack(project, stack, {**os.environ, **variables}).create(config)
    typer.echo(f"Configured {stack}: {', '.join(config)}")


@sandbox.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="A part that `status` names.")] = None,
    home: HomeOption = None,
    lines: Annotated[int, typer.Option(help="How many of the last lines.")] = 200,
) -> None:
    """Print the end of a part's log, or where all of them are."""
    from inkless_pulumi.sandbox import lifecycle

    parts = {found.name: found for found in lifecycle.status(_home(home)).parts}
    if part is None:
        for found in parts.values():
            typer.echo(f"{found.name}  {found.log}")
        return
    if part not in parts:
        raise SandboxError(f"there is no part {part}; there are: {', '.join(parts) or 'none'}")
    log = parts[part].log
    if not log.is_file():
        raise SandboxError(f"{part} has written nothing yet ({log})")
    for line in log.read_text(errors="replace").splitlines()[-lines:]:
        typer.echo(line)


@sandbox.command()
def demo(
    home: HomeOption = None,
    image: ImageOption = None,
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Leave the service running.")
    ] = False,
) -> None:
    """Deploy the quick-start, produce and consume, show that it is stable, and remove it."""
    from inkless_pulumi.sandbox import demo as demonstration

    checkout = Path(__file__).resolve().parents[1]
    if not (checkout / "examples" / "aws-quickstart").is_dir():
        raise SandboxError("the demonstration needs a checkout of the project, with its examples")
    place = _home(home) if home else demonstration.demo_home(checkout)
    result = demonstration.run(
        checkout, place, Console(highlight=False, emoji=False), keep=keep, image=image
    )
    typer.echo(result.line)


def _sandboxed_environment(home: "Home") -> dict[str, str]:
    """What `pulumi` and clients need in a sandbox that runs; an engine is made if need be."""
    from inkless_pulumi.sandbox import lifecycle
    from inkless_pulumi.sandbox.making import default_cache
    from inkless_pulumi.sandbox.running import Sandbox
    from inkless_pulumi.sandbox.toolchain import find_or_make_engine

    Sandbox.of(home)  # making an engine takes minutes: not where there is nothing to use it on
    toolchain = find_or_make_engine(default_cache(), progress()).environment()
    return toolchain | lifecycle.environment(home, path=toolchain["PATH"])


def _home(path: Path | None) -> "Home":
    from inkless_pulumi.sandbox.home import Home

    return Home.at(path) if path else Home.default()


if __name__ == "__main__":
    main()
