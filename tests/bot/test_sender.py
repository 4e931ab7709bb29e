"""The pace of sending: Telegram's limits, without a clock that runs."""

from __future__ import annotations

import pytest

from bot.sender import PER_CHAT_SECONDS, PER_SECOND, Pace

NOW = 5000.0


@pytest.fixture
def pace() -> Pace:
    return Pace()


def test_the_first_message_goes_at_once(pace: Pace) -> None:
    assert pace.wait(NOW) == 0.0
    assert pace.free("anybody", NOW)


def test_all_chats_together_get_no_more_than_telegram_takes(pace: Pace) -> None:
    waits = [pace.wait(NOW) for _ in range(51)]
    assert waits == pytest.approx([number / PER_SECOND for number in range(51)])
    assert waits[50] == pytest.approx(2.0), "the 51st waits two seconds"


def test_places_that_nobody_took_are_not_saved_up(pace: Pace) -> None:
    pace.wait(NOW)
    assert [pace.wait(NOW + 60) for _ in range(3)] == pytest.approx([0.0, 1 / PER_SECOND, 2 / PER_SECOND])


def test_a_chat_gets_one_a_second(pace: Pace) -> None:
    pace.used("p", NOW)
    assert not pace.free("p", NOW + 1.0)
    assert pace.free("p", NOW + PER_CHAT_SECONDS)
    assert pace.free("other", NOW)


def test_a_chat_that_asked_for_patience_gets_it(pace: Pace) -> None:
    pace.used("p", NOW)
    pace.used("p", NOW, 30.0)
    assert not pace.free("p", NOW + 29.9)
    assert pace.free("p", NOW + 30.0)


def test_limits_stay_below_telegrams() -> None:
    """core.telegram.org/bots/faq: one message a second in a chat, thirty a second in all."""
    assert PER_CHAT_SECONDS > 1.0
    assert PER_SECOND < 30.0


def test_only_so_many_chats_are_remembered_and_the_oldest_are_forgotten(
    pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sender._REMEMBERED_CHATS", 3)
    for chat in ("a", "b", "c"):
        pace.used(chat, NOW)
    pace.used("a", NOW + 0.5)
    pace.used("d", NOW + 0.5)
    assert pace.free("b", NOW + 0.6), "the longest unused one"
    assert not any(pace.free(chat, NOW + 0.6) for chat in ("a", "c", "d"))
