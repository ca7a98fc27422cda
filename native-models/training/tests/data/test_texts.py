"""Texts: numbers are said as people say them, filters keep what can be spoken, held-out texts stay held out."""

from data.items import Text
from data.recorded import refused_texts
from data.texts.entities import entities, rare_words
from data.texts.filters import instruction, readable, tidy, without_repeats
from data.texts.magpie import leading_sentences
from data.texts.prose import sentences
from data.texts.spoken_forms import say, words
from data.texts.templates import questions_and_commands


def test_numbers_are_said_as_people_say_them() -> None:
    said = {
        "The meeting is at 3:05 p.m.": "The meeting is at three oh five P M.",
        "Wake me at 7:00.": "Wake me at seven o'clock.",
        "It costs $12.50.": "It costs twelve dollars and fifty cents.",
        "It costs £1.": "It costs one pound.",
        "On March 3, 1984, it rained.": "On March third, nineteen eighty four, it rained.",
        "The distance is 2.5 km.": "The distance is two point five kilometers.",
        "About 49% of 1,250 people.": "About forty nine percent of one thousand two hundred fifty people.",
        "He came 21st.": "He came twenty first.",
        "My number is 5-0-7.": "My number is five zero seven.",
        "Nothing to change here.": "Nothing to change here.",
    }
    assert {text: say(text) for text in said} == said


def test_the_words_have_no_case_and_no_punctuation() -> None:
    assert words("It's a well-known fact, isn’t it?") == "it's a well known fact isn't it"


def test_what_cannot_be_spoken_is_refused() -> None:
    assert readable("What is the capital of France?")
    for text in (
        "See https://example.org for more.",
        "x = y + 2",
        "The NATO summit",
        "call foo_bar()",
        "Hm brr tsk pst.",
    ):
        assert not readable(text), text


def test_instructions_have_six_to_sixty_words() -> None:
    assert not instruction("What is a cat?")
    assert instruction("Can you tell me what a cat likes to eat?")
    assert not instruction("word " * 61 + ".")


def test_a_sentence_is_kept_once_and_what_is_measured_on_never() -> None:
    def text(sentence: str) -> Text:
        return Text(sentence, sentence, "en", "transcribe", "test", "none")

    refused = [
        "Mend the coat before you go out.",
        "Which planet is called the red planet?",
        "Professor Lindqvist teaches thermodynamics on Thursdays.",
    ]
    given = [text("Hello there, you."), text("Hello there you!"), *map(text, refused)]
    assert [kept.text for kept in without_repeats(given, refused_texts())] == ["Hello there, you."]


def test_the_same_seed_gives_the_same_texts_and_another_seed_others() -> None:
    for source in (entities, rare_words, questions_and_commands):
        assert list(source(40, 3)) == list(source(40, 3))
        assert list(source(40, 3)) != list(source(40, 4))


def test_what_is_said_has_no_digit_left() -> None:
    assert not [text.said for text in entities(300, 5) if any(c.isdigit() for c in text.said)]


def test_held_out_texts_are_chosen_by_the_text_itself() -> None:
    texts = list(questions_and_commands(2000, 1))
    share = sum(text.split == "held-out" for text in texts) / len(texts)
    assert 0.01 < share < 0.04


def test_an_instruction_is_cut_to_its_first_sentences() -> None:
    assert leading_sentences("What is rain? Tell me more.\n\n* list") == "What is rain? Tell me more."
    assert leading_sentences("no end in sight") == ""


def test_replies_give_whole_sentences_to_speak() -> None:
    reply = "Sure, here are some good ideas. 1. You can walk to the park today. And this one is cut"
    assert [text.text for text in sentences([reply])] == [
        "Sure, here are some good ideas.",
        "You can walk to the park today.",
    ]


def test_dashes_and_quotes_are_tidied() -> None:
    assert tidy('he said "stop" -- and left') == "He said stop, and left."
