"""What protects data: what the update would be refused for, and what it unprotects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed
from inkless_pulumi.report.plan import Action, Diagnostic, Plan, Resource
from inkless_pulumi.report.topics import TopicChange, urns

__all__ = ["protection_findings"]

_SWITCHES: Final[Mapping[str, Mapping[str, bool]]] = {
    "aws:rds/instance:Instance": {"deletionProtection": True, "skipFinalSnapshot": False},
    "aws:s3/bucket:Bucket": {"forceDestroy": False},
    "aws:ebs/volume:Volume": {"finalSnapshot": True},
    "aws:ecr/repository:Repository": {"forceDelete": False},
}
"""Properties that protect, and the value with which they do."""


_MESSAGE: Final = 600
"""How much of a message is shown, in characters; it names what to do at its end."""
_ENDS: Final = ("preview failed", "update failed")
"""How the engine closes a failed preview; what failed is said before."""


def protection_findings(plan: Plan, topics: list[TopicChange]) -> Iterator[Finding]:
    """What would be refused, and what can be deleted from the next update on."""
    yield from _refused(plan)
    yield from _said(plan)
    yield from _policies(plan)
    yield from _unprotected(plan, topics)


def _refused(plan: Plan) -> Iterator[Finding]:
    """What the engine itself refuses: to delete or replace what is protected."""
    refused = _by_name(found for found in plan.resources if found.goes and _is_protected(found))
    if refused:
        yield Finding(
            "protected",
            "protection",
            Level.DANGER,
            f"The update would be refused: {counted(len(refused), 'resource is', 'resources are')} "
            f"protected, and the plan deletes or replaces {'it' if len(refused) == 1 else 'them'}: "
            f"{listed(found.name for found in refused)}",
            details=(
                "Undo the change; or, to lose what they hold, set "
                f"{code('deletion_protection')} to {code('False')}, run an update, and make the "
                "change after that",
            ),
            brief=f"{counted(len(refused), 'resource is', 'resources are')} protected",
        )


def _by_name(resources: Iterable[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda found: (found.name, found.urn))


def _is_protected(resource: Resource) -> bool:
    return resource.old is not None and resource.old.protected


def _said(plan: Plan) -> Iterator[Finding]:
    """What a program or a provider refuses, in its own words."""
    for said in plan.refusals:
        if said.message in _ENDS or _about_protection(said, plan):
            continue
        about = f"{code(said.urn.rpartition('::')[2])}: " if said.urn else ""
        yield Finding(
            "refused",
            "protection",
            Level.DANGER,
            f"The update would be refused: {about}{code(_first_line(said.message), _MESSAGE)}",
            details=tuple(
                code(line, _MESSAGE) for line in said.message.strip().splitlines()[1:] if line
            ),
            brief="what is declared is refused",
        )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]


def _about_protection(said: Diagnostic, plan: Plan) -> bool:
    """Whether `_refused` has told it already."""
    resource = plan.get(said.urn)
    return resource is not None and _is_protected(resource) and "protect" in said.message


def _policies(plan: Plan) -> Iterator[Finding]:
    for said in plan.violations:
        mandatory = said.severity == "error"
        what = "The update would be refused by a policy" if mandatory else "A policy is violated"
        about = f"{code(said.urn.rpartition('::')[2])}: " if said.urn else ""
        yield Finding(
            "policy-violated",
            "protection",
            Level.DANGER if mandatory else Level.WARNING,
            f"{what}: {about}{code(_first_line(said.message), _MESSAGE)}",
            brief="a policy refuses it" if mandatory else "a policy is violated",
        )


def _unprotected(plan: Plan, topics: list[TopicChange]) -> Iterator[Finding]:
    bare = _by_name(found for found in plan.resources if _loses_protection(found))
    unprotected = [
        change
        for change in topics
        if change.old is not None and change.new is not None
        if change.old.protected and not change.new.protected
    ]
    told = urns(unprotected)  # a topic and its resource are one thing
    names = [found.name for found in bare if found.urn not in told]
    names += [change.topic.name for change in unprotected]
    if names:
        words = counted(len(names), "thing that holds data", "things that hold data")
        them = "it" if len(names) == 1 else "them"
        yield Finding(
            "protection-removed",
            "protection",
            Level.WARNING,
            f"{words} can be deleted by the next update: {listed(names)}",
            details=(
                f"This update does not delete {them}. A later change that deletes or replaces "
                f"{them} is not refused any more",
            ),
            resources=tuple(found.urn for found in bare),
            brief="deletion protection is turned off",
        )


def _loses_protection(resource: Resource) -> bool:
    if resource.old is None or resource.new is None or resource.action is Action.REPLACE:
        return False
    if resource.old.protected and not resource.new.protected:
        return True
    switches = _SWITCHES.get(resource.type, {})
    return any(
        resource.before(name) is protecting and resource.after(name) is not protecting
        for name, protecting in switches.items()
    )
