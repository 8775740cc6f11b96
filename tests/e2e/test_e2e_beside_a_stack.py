"""What is started beside a running stack, or where there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.e2e_stack import VOICE_DISPATCHER, Stage, environment, numbers, processes_of
from support.forked import Forked, run
from support.polling import eventually


def test_a_second_up_in_the_same_folder_says_so_in_a_sentence(stage: Stage) -> None:
    done = stage.up.cli("up")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: already running (pid {stage.up.pid}) in {stage.up.folder}: ")


def test_outside_of_the_folder_no_dispatcher_is_found(tmp_path: Path) -> None:
    done = run([VOICE_DISPATCHER, "stats"], cwd=tmp_path, env=environment(tmp_path), timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no dispatcher found: ")


def test_a_second_beat_does_nothing_twice(stage: Stage) -> None:
    beat = Forked(
        [VOICE_DISPATCHER, "beat"],
        cwd=stage.up.folder,
        env=stage.up.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with beat:
        eventually(lambda: len(_beats(stage)) == 2, "two beats run")
        who = numbers("0005", 20)
        ids = stage.up.enqueue(who, at="1s", redial=1, redial_after="1s")
        jobs = stage.up.ended(ids, 120)
        beat.terminate()
    assert {tuple(event.to for event in job.timeline) for job in jobs} == {
        ("scheduled", "queued", "dialing", "in_progress") * 2 + ("completed",)
    }
    books = stage.sandbox.books()
    assert {books[each] for each in who} == {2}


def _beats(stage: Stage) -> list[str]:
    lines = processes_of(stage.up.folder).values()
    return [line for line in lines if "workers.run beat" in line or line.endswith(" beat")]
