"""Pulumi's protocol as the plugin speaks it, seen from the real engine."""

import os
import select
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pulumi
import pytest
from pulumi import automation

from tests.engine.probe import PLUGIN, ProbeArgs, ProbeResource
from tests.engine.real_engine import Engine, EngineError

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def engine_environment(tmp_path: Path) -> Mapping[str, str]:
    plugin = tmp_path / "bin" / "pulumi-resource-inkless"
    plugin.parent.mkdir()
    plugin.write_text(PLUGIN.format(python=sys.executable, checkout=str(CHECKOUT)))
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    return {"PATH": os.pathsep.join([str(plugin.parent), os.environ["PATH"]])}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script"
    path.write_text("")
    return path


def declaring(args: ProbeArgs) -> Callable[[], None]:
    return lambda: pulumi.export("shout", ProbeResource("probe", args).shout)


def error_of(failed: pytest.ExceptionInfo[EngineError]) -> str:
    return str(failed.value)


def test_defaults_and_outputs_are_recorded_and_nothing_changes_afterwards(engine: Engine) -> None:
    program = declaring({"place": {"host_name": "a.example"}, "settings": {"a.b_c": "1"}})
    up = engine.up(program)
    recorded = engine.resources()["probe"]
    assert up.outputs["shout"] == "PLAIN"
    assert recorded["inputs"]["place"] == {"hostName": "a.example", "port": 80}
    assert recorded["inputs"]["settings"] == {"a.b_c": "1"}
    assert recorded["outputs"]["label"] == "plain"
    assert engine.preview(program).changed == {}
    assert engine.refresh().changed == {}


def test_a_preview_names_each_nested_change_and_what_it_replaces(engine: Engine) -> None:
    engine.up(declaring({"settings": {"num.partitions": "1", "gone": "x"}}))
    update = engine.preview(declaring({"settings": {"num.partitions": "2", "new": "y"}}))
    (step,) = update.steps("probe")
    kinds = {path: change.diff_kind.value for path, change in step.detailed_diff.items()}
    assert kinds == {
        'settings["num.partitions"]': "update",
        "settings.gone": "delete",
        "settings.new": "add",
    }
    replace = engine.preview(declaring({"label": "other", "settings": {}}))
    assert replace.changed["replace"] == 1


def test_what_is_known_flows_through_a_preview_and_what_is_not_stays_unknown(
    engine: Engine,
) -> None:
    seen: dict[str, bool] = {}

    def program() -> None:
        first = ProbeResource("first", {"label": "known"})
        second = ProbeResource("second", {"label": first.token, "settings": {"x": first.shout}})
        first.shout.apply(lambda shout: seen.update({shout: True}))
        second.shout.apply(lambda shout: seen.update({shout: True}))

    assert engine.preview(program).changed == {"create": 3}
    assert seen == {"KNOWN": True}
    engine.up(program)
    assert set(seen) == {"KNOWN", "HIDDEN-TOKEN"}


def test_what_is_known_is_validated_at_preview_beside_what_is_unknown(engine: Engine) -> None:
    def program() -> None:
        first = ProbeResource("first", {})
        place = {"host_name": first.token, "prot": 1}
        ProbeResource("second", {"label": first.token, "place": place})  # type: ignore[typeddict-item]

    with pytest.raises(EngineError) as failed:
        engine.preview(program)
    assert 'place.prot: is not an argument; did you mean "port"?' in error_of(failed)

    def ill_typed() -> None:
        first = ProbeResource("first", {})
        ProbeResource("second", {"label": first.token, "place": {"host_name": "h", "port": "x"}})  # type: ignore[typeddict-item]

    with pytest.raises(EngineError) as failed:
        engine.preview(ill_typed)
    assert 'place.port = "x": must be a valid integer' in error_of(failed)
    assert error_of(failed).count("has a problem") == 1


def test_a_secret_input_and_a_secret_output_never_stand_in_state(engine: Engine) -> None:
    def program() -> None:
        password = pulumi.Output.secret("hunter2")
        args: ProbeArgs = {"settings": {"user": "u", "password": password}, "label": "lively"}
        probe = ProbeResource("probe", args)
        pulumi.export("token", probe.token)

    up = engine.up(program)
    assert "hunter2" not in engine.state()
    assert "hidden-token" not in engine.state()
    assert "lively" in engine.state()
    assert "hidden-token" not in up.text
    assert "hunter2" not in up.text
    assert engine.preview(program).changed == {}
    assert engine.refresh().changed == {}
    assert "hunter2" not in engine.state()


def test_a_secret_that_is_wrong_is_not_shown_in_the_error(engine: Engine) -> None:
    def program() -> None:
        ProbeResource("probe", {"settings": pulumi.Output.secret("hunter2")})  # type: ignore[arg-type]

    with pytest.raises(EngineError) as failed:
        engine.up(program)
    assert "settings: must be a valid dictionary" in error_of(failed)
    assert "hunter2" not in error_of(failed)


def test_an_error_is_told_in_one_sentence(engine: Engine, script: Path) -> None:
    script.write_text("fail")
    with pytest.raises(EngineError) as failed:
        engine.up(declaring({"script": str(script)}))
    text = error_of(failed)
    assert "The probe was told to fail." in text
    assert "Traceback" not in text
    assert "InklessError" not in text
    assert "Unexpected" not in text
    assert "probe" not in engine.resources()


def test_a_defect_is_called_one_and_its_traceback_is_for_debugging(
    engine: Engine, script: Path
) -> None:
    script.write_text("break")
    with pytest.raises(EngineError) as failed:
        engine.up(declaring({"script": str(script)}))
    assert "ZeroDivisionError: somebody divided" in error_of(failed)
    assert "defect of inkless-pulumi" in error_of(failed)
    assert "Traceback" not in error_of(failed)
    with pytest.raises(EngineError) as failed:
        engine.up(declaring({"script": str(script)}), debug=True)
    assert "Traceback" in error_of(failed)


def test_what_exists_only_half_is_recorded_and_finished_by_the_next_update(
    engine: Engine, script: Path
) -> None:
    script.write_text("half")
    program = declaring({"script": str(script)})
    with pytest.raises(EngineError) as failed:
        engine.up(program)
    assert "The second half is missing." in error_of(failed)
    recorded = engine.resources()["probe"]
    assert recorded["id"] == "probe-1"
    assert recorded["initErrors"] == ["The second half is missing."]
    assert "hidden-token" not in str(recorded)
    script.write_text("")
    assert engine.up(program).changed == {"update": 1}
    assert engine.preview(program).changed == {}


def test_progress_is_fleeting_and_a_warning_stays(engine: Engine, script: Path) -> None:
    script.write_text("talk")
    up = engine.up(declaring({"script": str(script)}))
    said = {
        event.diagnostic_event.message.strip(): event.diagnostic_event
        for event in up.events
        if event.diagnostic_event
    }
    progress = next(event for text, event in said.items() if "half way there" in text)
    warning = next(event for text, event in said.items() if "mind the step" in text)
    assert progress.ephemeral
    assert progress.urn is not None
    assert progress.urn.endswith("::probe")
    assert warning.severity == "warning"
    assert not warning.ephemeral


def test_an_interrupted_update_ends_the_wait(engine: Engine, script: Path) -> None:
    script.write_text("wait")
    waiting = threading.Event()

    def listen(event: automation.EngineEvent) -> None:
        if event.diagnostic_event and "waiting" in event.diagnostic_event.message:
            waiting.set()

    def interrupt() -> None:
        assert waiting.wait(60)
        engine.interrupt()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    started = time.monotonic()
    with pytest.raises(EngineError):
        engine.up(declaring({"script": str(script)}), listen=listen)
    interrupter.join()
    assert time.monotonic() - started < 120


def test_an_import_takes_the_resource_as_it_is(engine: Engine) -> None:
    def program() -> None:
        ProbeResource("probe", {"label": "mine"}, pulumi.ResourceOptions(import_="mine"))

    assert engine.up(program).changed == {"create": 1, "import": 1}
    assert engine.resources()["probe"]["outputs"]["shout"] == "MINE"
    assert engine.preview(program).changed == {}


def test_a_resource_can_be_looked_up_by_its_id(engine: Engine) -> None:
    def program() -> None:
        pulumi.export("label", ProbeResource.get("probe", "theirs").label)

    assert engine.up(program).outputs["label"] == "theirs"


def test_ignored_changes_are_named_as_in_python(engine: Engine) -> None:
    def program(host: str) -> Callable[[], None]:
        options = pulumi.ResourceOptions(ignore_changes=["place.hostName", "script"])
        args: ProbeArgs = {"place": {"host_name": host}}
        return lambda: pulumi.export("x", ProbeResource("probe", args, options).shout)

    engine.up(program("a"))
    assert engine.preview(program("b")).changed == {}


def test_a_failed_deletion_keeps_the_resource(engine: Engine, script: Path) -> None:
    script.write_text("")
    engine.up(declaring({"script": str(script)}))
    script.write_text("stay")
    with pytest.raises(EngineError) as failed:
        engine.up(lambda: None)
    assert "The probe was told to stay at None." in error_of(failed)
    assert "probe" in engine.resources()
    script.write_text("")
    assert engine.up(lambda: None).changed == {"delete": 1}


def test_what_is_recorded_among_the_inputs_alone_is_compared_and_there_for_update_and_deletion(
    engine: Engine, script: Path
) -> None:
    def program(host: str) -> Callable[[], None]:
        return declaring({"place": {"host_name": host}, "script": str(script)})

    engine.up(program("old.example"))
    recorded = engine.resources()["probe"]
    assert "place" in recorded["inputs"]
    assert "place" not in recorded["outputs"]
    assert engine.refresh().changed == {}
    assert engine.preview(program("old.example")).changed == {}
    assert [*engine.preview(program("new.example")).steps("probe")[0].detailed_diff] == [
        "place.hostName"
    ]
    script.write_text("tell")
    with pytest.raises(EngineError) as failed:
        engine.up(program("new.example"))
    assert "The probe was at host_name='old.example'" in error_of(failed)
    script.write_text("stay")
    with pytest.raises(EngineError) as failed:
        engine.up(lambda: None)
    assert "told to stay at host_name='old.example'" in error_of(failed)


def test_a_state_that_repeats_them_is_understood(engine: Engine, script: Path) -> None:
    program = declaring({"place": {"host_name": "a.example"}, "script": str(script)})
    engine.up(program)
    recorded = engine.resources()["probe"]
    engine.record("probe", outputs=recorded["outputs"] | {"place": recorded["inputs"]["place"]})
    assert engine.preview(program).changed == {}


def test_the_plugin_ends_when_the_engine_is_killed(tmp_path: Path) -> None:
    # A shell stands for the engine: it starts the plugin and dies without a word.
    plugin = Path(sys.executable).parent / "pulumi-resource-inkless"
    shell = subprocess.Popen(
        ["/bin/sh", "-c", f'"{plugin}" 127.0.0.1:1 & echo $!; wait'],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert shell.stdout is not None
    process = int(shell.stdout.readline())
    assert int(shell.stdout.readline()) > 0, "the plugin prints its port once it serves"
    shell.kill()
    shell.wait()
    deadline = time.monotonic() + 30
    # The pipe ends when its last holder, the plugin, has ended.
    while not select.select([shell.stdout], [], [], 0.1)[0]:
        assert time.monotonic() < deadline, f"the plugin, process {process}, still runs"
    shell.stdout.close()


def test_started_by_hand_the_plugin_says_what_it_is() -> None:
    plugin = Path(sys.executable).parent / "pulumi-resource-inkless"
    told = subprocess.run([plugin], capture_output=True, text=True, timeout=60, check=True)
    assert "nothing to run here by hand" in told.stdout
    assert told.stderr == ""
