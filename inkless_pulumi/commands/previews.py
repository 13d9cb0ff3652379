"""Previews: in an emulated account, against a snapshot, and as a report."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from inkless_pulumi.commands.console import progress
from inkless_pulumi.core.errors import SandboxError

__all__ = ["commands"]

commands = typer.Typer()

RegionOption = Annotated[
    str | None,
    typer.Option(
        help="The region of the emulated account.  [default: the stack's, else eu-central-1]"
    ),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", help="KEY=VALUE of the stack's configuration; repeatable."),
]
SnapshotOption = Annotated[
    Path | None,
    typer.Option(
        help="With --sandbox: what `inkless-pulumi snapshot` wrote of a deployment.  "
        "[default: an empty account]"
    ),
]


@commands.command()
def preview(
    project: Annotated[
        Path, typer.Argument(help="The directory with Pulumi.yaml.", exists=False)
    ] = Path(),
    in_sandbox: Annotated[
        bool, typer.Option("--sandbox", help="In an emulated account (and nothing else yet).")
    ] = False,
    region: RegionOption = None,
    config: ConfigOption = None,
    snapshot: SnapshotOption = None,
) -> None:
    """Show what a program would do: no account, no credentials, nothing left behind."""
    from inkless_pulumi.sandbox.preview import preview as show_preview

    if not in_sandbox:
        raise SandboxError("for a preview of a real stack use `pulumi preview`; here: --sandbox")
    show_preview(
        project,
        _settings(region, config, snapshot),
        Console(highlight=False, emoji=False),
        progress=progress(),
        snapshot=snapshot,
    )


@commands.command()
def snapshot(
    file: Annotated[Path, typer.Argument(help="Where to write it; - is standard output.")],
    project: Annotated[Path, typer.Option(help="The directory with Pulumi.yaml.")] = Path(),
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", help="The stack.  [default: the selected one]")
    ] = None,
) -> None:
    """Write down the recorded state of a stack without its secrets, to preview against."""
    from inkless_pulumi.sandbox.snapshot import export_snapshot

    text = export_snapshot(project, stack)
    if file == Path("-"):
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise SandboxError(f"the snapshot can't be written: {error.strerror}: {file}") from error


@commands.command("preview-report")
def preview_report(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="What `pulumi preview --json --show-sames` printed, or the engine's events; "
            "- reads standard input.  [default: run the preview]",
            allow_dash=True,
        ),
    ] = None,
    project: Annotated[Path, typer.Option(help="The directory with Pulumi.yaml.")] = Path(),
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", help="The stack.  [default: the selected one]")
    ] = None,
    in_sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run it in an emulated account: no credentials.")
    ] = False,
    snapshot: SnapshotOption = None,
    region: RegionOption = None,
    config: ConfigOption = None,
    exit_code: Annotated[
        int | None,
        typer.Option(
            "--preview-exit-code",
            help="The exit status of the preview that wrote SOURCE; any but 0 makes it incomplete.",
        ),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write Markdown to this file; - is standard output.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write JSON to this file; - is standard output.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="What the comment is found by again.  [default: the project's and stack's name]"
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Whose limit a comment has to keep: github or gitlab.")
    ] = "github",
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="data-loss, downtime, wider-access or cost=AMOUNT; repeatable."),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="A table of prices of your own.  [default: list prices]")
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of --json, and do nothing else.")
    ] = False,
) -> None:
    """Say what a preview means for the running service: data, availability, access, cost.

    Exit status: 0; 1 no report could be made; --fail-on data-loss 10, downtime 11, wider-access 12,
    cost 13; 20 the preview is not whole; 21 the update would be refused.
    """
    from inkless_pulumi.report import command

    if schema:
        typer.echo(command.schema_text(), nl=False)
        return
    options = command.Options(
        markdown=markdown,
        json=json,
        key=key,
        host=host,
        fail_on=tuple(fail_on or ()),
        prices=prices,
    )
    options.check()
    if source is not None:
        preview = command.read(source, exit_code)
    elif in_sandbox:
        from inkless_pulumi.sandbox.preview import LIMITS, emulated_stack

        settings = _settings(region, config, snapshot)
        tell = progress()
        with emulated_stack(project, settings, progress=tell, snapshot=snapshot) as emulated:
            preview = command.run(
                emulated.directory, emulated.name, tell, emulated.environment, LIMITS
            )
    else:
        preview = command.run(project, stack, relay=progress())
    raise typer.Exit(command.report(preview, options, Console(highlight=False, emoji=False)))


def _settings(
    region: str | None, config: list[str] | None, snapshot: Path | None
) -> dict[str, str]:
    """What is configured on the command line; an empty account is in some region."""
    chosen = region or (None if snapshot else "eu-central-1")
    return {**({"aws:region": chosen} if chosen else {}), **_pairs(config or [])}


def _pairs(settings: list[str]) -> dict[str, str]:
    pairs = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not (key and separator):
            raise SandboxError(f"--config {setting}: give it as KEY=VALUE")
        pairs[key] = value
    return pairs
