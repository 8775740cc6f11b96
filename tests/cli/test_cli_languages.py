"""The language of texts, refused languages, and texts in other letters, as people see them."""

from __future__ import annotations

from dispatcher.model.filters import Filter
from dispatcher.store import Store
from support.cli_shell import Shell
from support.redis_inside import key_of, redis_of

NUMBER = "+818011234567"


def refuse(store: Store, lang: str) -> None:
    redis_of(store).hset(key_of(store, "refused_languages"), lang, round(store.now()))


def test_refused_languages_are_shown_refuse_jobs_and_are_forgotten(
    shell: Shell, store: Store
) -> None:
    assert shell("languages").out == "Texts that name no language are in 'en' (DISPATCHER_LANG)\n"
    refuse(store, "cy")
    refuse(store, "gd")
    assert "cy: refused by the provider on 20" in shell("languages").out
    ran = shell("call", NUMBER, "--say", "Helo", "--lang", "cy")
    assert ran.code == 2
    assert "lang: the provider refused to speak 'cy' of late" in ran.complaint
    done = shell("languages", "--forget", "cy", "--note", "they say so", "--json").json
    assert (done["forgotten"], [*done["refused"]]) == (["cy"], ["gd"])
    assert shell("call", NUMBER, "--say", "Helo", "--lang", "cy").code == 0
    assert shell("languages", "--forget", "all").out.startswith("forgotten: gd\n")


def test_a_text_in_other_letters_is_called_and_warned_of(shell: Shell) -> None:
    ran = shell("call", NUMBER, "--say", "荷物が届きました")
    assert ran.code == 0
    assert "warning: the text is written in Hiragana letters" in ran.err
    assert "warning" not in shell("call", NUMBER, "--say", "荷物が届きました", "--lang", "ja").err


def test_an_import_says_how_many_texts_are_in_other_letters(shell: Shell) -> None:
    rows = ["phone,lang,say", f"{NUMBER},ja,荷物です", f"{NUMBER},,荷物がある", f"{NUMBER},,ここだ"]
    (shell.folder / "a.csv").write_text("\n".join(rows))
    ran = shell("import", "a.csv", "--dry-run", "--json")
    [warning] = ran.json["warnings"]
    assert warning.startswith("2 rows, first in line 3: the text is written in Hiragana letters")
    assert "warning: 2 rows, first in line 3" in ran.err


def test_a_dry_run_says_how_long_and_how_dear_and_enqueues_nothing(
    shell: Shell, store: Store
) -> None:
    ran = shell("call", NUMBER, "--code", "276983", "--dry-run")
    assert ran.out == (
        "a new job, said in about 15 s (en); it costs about 20 credits if answered (estimates)\n"
    )
    assert "276983" not in ran.out + ran.err
    found = shell("call", NUMBER, "--say", "Hello", "--key", "a", "--dry-run", "--json").json
    assert found == {
        "dry_run": True,
        "new": True,
        "kind": "tts",
        "expected_seconds": 1,
        "expected_credits": 20,
        "lang": "en",
    }
    assert list(store.search.find(Filter())) == []
    shell("call", NUMBER, "--say", "Hello", "--key", "a")
    again = shell("call", NUMBER, "--say", "Hello", "--key", "a", "--dry-run").out
    assert again.startswith("already enqueued")
    other = shell("call", NUMBER, "--say", "Bye", "--key", "a", "--dry-run")
    assert (other.code, "belongs to another request" in other.complaint) == (1, True)


def test_an_import_says_how_long_its_texts_take(shell: Shell) -> None:
    rows = ["phone,say", f"{NUMBER},{'word ' * 14}", f"+818011234568,{'word ' * 70}"]
    (shell.folder / "a.csv").write_text("\n".join(rows))
    ran = shell("import", "a.csv", "--dry-run", "--json")
    assert ran.json["expected_seconds"] == [4, 20]
    assert "What is said takes about 4 to 20 s (an estimate)" in ran.err
