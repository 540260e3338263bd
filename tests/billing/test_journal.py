"""The journal as files: what a process writes, and what others find of it when it is gone."""

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from accounts.ratelimits import Held
from billing.charges import Charge
from billing.journal import LOCK, Journal, try_lock
from billing.journal_lines import DamagedLine, HoldLine, decode, encode
from billing.orphans import DAMAGED, Orphan, claim_orphans, pending_charges, segments
from tests.billing.runs import charge_of

HOLD = HoldLine("o1", (Held("lease", "api:7", "abc", 15), Held("quota", "runs:0", "abc", 600)))


def die(journal: Journal) -> None:
    """What the death of its process does to a journal: the kernel closes the files."""
    for segment in journal._segments:
        os.close(segment.descriptor)
    os.close(journal._lock)


def orphans(folder: Path) -> list[Orphan]:
    return list(claim_orphans(folder))


@pytest.mark.parametrize("line", [charge_of(3), HOLD])
def test_a_line_reads_as_it_was_written(line: Charge | HoldLine) -> None:
    assert decode(encode(line)) == line
    assert encode(line).endswith(b"\n")
    assert encode(line).count(b"\n") == 1


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b"null", b"\x00\x00", b'{"charge":{}}', b'{"a":1,"b":2}', b'{"hold":{"scope":"o1"}}']
)
def test_what_was_never_written_is_damage(line: bytes) -> None:
    with pytest.raises(DamagedLine):
        decode(line)


def test_what_a_dead_process_wrote_is_found_whole_and_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    charges = [charge_of(number) for number in range(20)]
    journal.append(HOLD)
    for charge in charges:
        journal.append(charge)
    die(journal)

    (orphan,) = orphans(tmp_path)
    assert orphan.charges == charges
    assert orphan.holds == [HOLD]
    orphan.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_is_no_orphan_but_its_charges_can_be_seen(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    charge = charge_of(1)
    journal.append(HOLD)
    journal.append(charge)
    assert orphans(tmp_path) == []
    assert list(pending_charges(tmp_path)) == [charge]
    journal.close()


def test_an_orphan_is_claimed_by_one_alone_and_can_be_left_to_another(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(charge_of(1))
    die(journal)
    (orphan,) = orphans(tmp_path)
    assert orphans(tmp_path) == []
    orphan.leave()
    (again,) = orphans(tmp_path)
    assert again.charges == orphan.charges
    again.remove()


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    whole = charge_of(1)
    segment = journal.append(whole)
    os.write(segment.descriptor, encode(charge_of(2))[:-1])
    assert list(pending_charges(tmp_path)) == [whole]
    die(journal)
    (orphan,) = orphans(tmp_path)
    assert orphan.charges == [whole]
    orphan.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_line_costs_no_other_and_a_copy_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    charges = [charge_of(1), charge_of(2)]
    segment = journal.append(charges[0])
    os.write(segment.descriptor, b"\x00\x00\x00\n")
    journal.append(charges[1])
    assert list(pending_charges(tmp_path)) == charges
    die(journal)
    (orphan,) = orphans(tmp_path)
    assert orphan.charges == charges
    orphan.remove()
    (copy,) = (tmp_path / DAMAGED).iterdir()
    assert b"\x00\x00\x00\n" in copy.read_bytes()
    assert orphans(tmp_path) == []


def test_it_is_empty_once_nothing_in_it_is_needed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, second = journal.append(charge_of(1)), journal.append(charge_of(2))
    journal.done(first)
    assert first.path.stat().st_size > 0
    journal.done(second)
    assert first.path.stat().st_size == 0

    charge = charge_of(3)
    journal.append(charge)
    assert list(pending_charges(tmp_path)) == [charge]
    journal.close()


def test_a_grown_segment_is_followed_by_another_and_removed_when_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1000)
    written = [(charge, journal.append(charge)) for charge in (charge_of(number) for number in range(60))]
    paths = segments(journal.folder)
    assert len(paths) > 10
    assert [path.name for path in paths] == [f"{number}.jsonl" for number in range(1, len(paths) + 1)]
    assert list(pending_charges(tmp_path)) == [charge for charge, _ in written]

    for _, segment in written[:-1]:
        journal.done(segment)
    last = written[-1][1]
    assert segments(journal.folder) == [last.path]
    die(journal)
    (orphan,) = orphans(tmp_path)
    assert orphan.charges == [charge for charge, segment in written if segment is last]
    orphan.remove()


def test_it_leaves_nothing_behind_when_all_is_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.done(journal.append(charge_of(1)))
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_done_at_the_end_is_left_to_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    charge = charge_of(1)
    journal.append(charge)
    journal.close()
    (orphan,) = orphans(tmp_path)
    assert orphan.charges == [charge]
    orphan.remove()


def test_a_closed_journal_takes_nothing_and_forgives_a_late_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    segment = journal.append(charge_of(1))
    journal.close()
    with pytest.raises(OSError, match="stopping"):
        journal.append(charge_of(2))
    journal.done(segment)
    assert len(list(pending_charges(tmp_path))) == 1


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    segment = journal.append(charge_of(1))
    for path in (tmp_path / "journal", journal.folder):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in (segment.path, journal.folder / LOCK):
        assert path.stat().st_mode & 0o777 == 0o600
    journal.close()


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """What a full disk does, on a smaller scale: the kernel writes what fits, then refuses."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_line_that_does_not_fit_is_not_there_at_all(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    whole = charge_of(1)
    segment = journal.append(whole)
    with files_no_larger_than(segment.size + 20):
        with pytest.raises(OSError, match="could not be written") as refusal:
            journal.append(charge_of(2))
        assert refusal.value.errno == errno.ENOSPC
    assert segment.path.read_bytes() == encode(whole)

    later = charge_of(3)
    journal.append(later)
    assert list(pending_charges(tmp_path)) == [whole, later]
    journal.close()


def test_nobody_takes_a_folder_in_the_making_for_an_orphan(tmp_path: Path) -> None:
    (tmp_path / "1-a").mkdir()
    assert orphans(tmp_path) == []
    assert (tmp_path / "1-a").exists()

    os.utime(tmp_path / "1-a", (0, 0))
    assert orphans(tmp_path) == []
    assert not (tmp_path / "1-a").exists()


def test_a_lock_whose_file_was_removed_meanwhile_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock = "billing.journal.fcntl.flock"

    def removed_first(descriptor: int, how: int) -> None:
        (tmp_path / LOCK).unlink()

    monkeypatch.setattr(flock, removed_first)
    assert try_lock(tmp_path, create=True) is None

    def replaced_first(descriptor: int, how: int) -> None:
        (tmp_path / LOCK).unlink()
        (tmp_path / LOCK).touch()

    monkeypatch.setattr(flock, replaced_first)
    assert try_lock(tmp_path, create=True) is None


def test_a_new_folder_lost_to_a_scan_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def lost_once(folder: Path, *, create: bool = False) -> int | None:
        attempts.append(folder)
        return try_lock(folder, create=create) if len(attempts) > 1 else None

    monkeypatch.setattr("billing.journal.try_lock", lost_once)
    journal = Journal(tmp_path)
    assert attempts[0] != attempts[1]
    journal.close()


def test_there_need_be_no_journals_at_all(tmp_path: Path) -> None:
    assert orphans(tmp_path / "none") == []
    assert list(pending_charges(tmp_path / "none")) == []


def test_a_segment_removed_while_others_look_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append(charge_of(1))
    monkeypatch.setattr("billing.orphans.segments", lambda folder: [folder / f"{uuid4()}.jsonl", *segments(folder)])
    assert len(list(pending_charges(tmp_path))) == 1
    journal.close()
