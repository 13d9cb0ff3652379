"""The account's books."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox.account import Account, Record

VPC = Record("vpc", "vpc-1", "urn", "eu-central-1", {"a": 1}, {"a": 1, "b": [2]})


def test_what_is_recorded_is_there_for_another_process(tmp_path: Path) -> None:
    database = tmp_path / "account.db"
    first, second = Account(database), Account(database)
    with first.transaction() as ledger:
        ledger.put(VPC)
    with second.transaction() as ledger:
        assert ledger.get("vpc", "vpc-1") == VPC
        assert ledger.find("vpc", b=[2]) == [VPC]
        assert ledger.find("vpc", b=[3]) == []
    first.close()
    second.close()


def test_a_failed_change_leaves_nothing(tmp_path: Path) -> None:
    account = Account(tmp_path / "account.db")

    def refuse_halfway() -> None:
        with account.transaction() as ledger:
            ledger.put(VPC)
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        refuse_halfway()
    with account.transaction() as ledger:
        assert ledger.all() == []
    account.close()


def test_changes_by_many_at_once_are_all_kept(tmp_path: Path) -> None:
    database = tmp_path / "account.db"

    def add(start: int) -> None:
        account = Account(database)
        for number in range(start, start + 20):
            with account.transaction() as ledger:
                taken = len(ledger.all())
                ledger.put(Record("t", str(number), "urn", "r", {}, {"order": taken}))
        account.close()

    threads = [threading.Thread(target=add, args=(start,)) for start in range(0, 80, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account = Account(database)
    with account.transaction() as ledger:
        orders = [record.outputs["order"] for record in ledger.all()]
    account.close()
    assert sorted(orders) == list(range(80))


def test_new_books_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    def open_together(start: threading.Barrier, database: Path) -> None:
        start.wait()
        account = Account(database)
        for _ in range(20):
            with account.transaction() as ledger:
                ledger.put(VPC)
        account.close()

    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            start = threading.Barrier(4)
            opened = [
                pool.submit(open_together, start, tmp_path / f"{number}.db") for _ in range(4)
            ]
            for one in opened:
                one.result()


def test_an_account_in_memory_writes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    account = Account(None)
    with account.transaction() as ledger:
        ledger.put(VPC)
    account.close()
    assert list(tmp_path.iterdir()) == []


def test_books_that_cannot_be_opened_are_named(tmp_path: Path) -> None:
    (tmp_path / "account.db").mkdir()
    with pytest.raises(SandboxError, match=r"account\.db cannot be opened"):
        Account(tmp_path / "account.db")
