"""Names, addresses, numbers, dates, times, money, units and rare words in carrier sentences of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from faker import Faker

from data.items import Text, generator_for
from data.texts.filters import readable
from data.texts.spoken_forms import MONTHS, UNITS, say

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
WORD_LIST = Path("/usr/share/dict/web2")
CARRIERS = (
    "My name is {name} and I live in {city}.|Please call {name} at {clock} on {day}.|"
    "{name} was born on {date}, {year}.|The package for {name} arrived on {date}.|"
    "Have you met {name} from {city}?|Doctor {surname} will see you at {clock}.|"
    "The meeting with {name} was moved to {day}, {date}.|Send the letter to {address} in {city}.|"
    "I was looking for {address}, not for {city}.|{first} and {other_first} went to {city} in {year}.|"
    "The train to {city} leaves at {clock} from platform {small}.|Set an alarm for {clock}.|"
    "Remind me on {date} to pay {money} to {name}.|The ticket costs {money}, and the hotel {other_money}.|"
    "It weighs {amount}.|The distance is {amount}, give or take {small}.|My phone number is {phone}.|"
    "The code is {phone}.|In {year} there were {large} people in {city}.|{large} people signed by {date}.|"
    "About {percent} of the visitors came from {city}.|What is {small} plus {medium}?|"
    "What is {medium} minus {small}?|How much is {small} times {other_small}?|"
    "The score was {small} to {other_small}.|Turn to page {medium}.|Chapter {small} ends on page {medium}.|"
    "The price rose from {money} to {other_money} within {small} months.|He finished in {ordinal} place.|"
    "Her {ordinal} birthday is on {date}.|The temperature will reach {medium} degrees on {day}.|"
    "Add {amount} of flour and {small} eggs.|Flight {phone} from {city} lands at {clock}.|"
    "Mister {surname}, your room number is {medium}.|The {surname} family has lived here since {year}.|"
    "Divide {medium} by {small}.|Wake me up in {medium} minutes.|Is {day}, {date}, free for you, {first}?"
).split("|")
WORD_CARRIERS = (
    "The next word is {word}.|Can you spell {word}?|What does {word} mean?|I had never heard of {word} before.|"
    "He said {word} and then {other_word}.|Write down {word}, {other_word} and {third_word}.|"
    "She looked up {word} in the dictionary.|Is it {word} or {other_word}?|They argued about {word} for hours.|"
    "The word {word} comes before {other_word}.|Please repeat after me, {word}, {other_word}, {third_word}."
).split("|")


def _fillers(generator: np.random.Generator, faker: Faker) -> dict[str, Callable[[], str]]:
    def whole(low: int, high: int) -> int:
        return int(generator.integers(low, high))

    def money() -> str:
        sign = "$€£"[whole(0, 3)]
        return f"{sign}{whole(1, 400)}" if generator.random() < 0.5 else f"{sign}{whole(1, 90)}.{whole(1, 100):02d}"

    def clock() -> str:
        half = ("", " a.m", " p.m")[whole(0, 3)]
        return f"{whole(1, 13)}:{(0, 5, 10, 15, 20, 30, 40, 45, 55)[whole(0, 9)]:02d}{half}"

    def ordinal() -> str:
        number = whole(1, 100)
        ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending}"

    def amount() -> str:
        count = f"{whole(2, 300)}" if generator.random() < 0.6 else f"{whole(0, 20)}.{whole(1, 10)}"
        return f"{count} {list(UNITS)[whole(0, len(UNITS))]}"

    return {
        "name": lambda: f"{faker.first_name()} {faker.last_name()}",
        "first": faker.first_name,
        "other_first": faker.first_name,
        "surname": faker.last_name,
        "city": faker.city,
        "address": lambda: f"{whole(1, 400)} {faker.street_name()}",
        "clock": clock,
        "day": lambda: DAYS[whole(0, 7)],
        "date": lambda: f"{MONTHS[whole(0, 12)]} {whole(1, 29)}",
        "year": lambda: str(whole(1700, 2040)),
        "money": money,
        "other_money": money,
        "amount": amount,
        "small": lambda: str(whole(2, 21)),
        "other_small": lambda: str(whole(2, 21)),
        "medium": lambda: str(whole(21, 900)),
        "large": lambda: f"{whole(1000, 90000):,}",
        "percent": lambda: f"{whole(1, 100)}%",
        "ordinal": ordinal,
        "phone": lambda: "-".join(str(digit) for digit in generator.integers(0, 10, size=whole(3, 8))),
    }


def entities(count: int, seed: int) -> Iterator[Text]:
    """Sentences about people, places and quantities, written in digits and said in words."""
    generator = generator_for(seed, "entities")
    faker = Faker(["en_US", "en_GB", "en_IN", "en_AU"])
    faker.seed_instance(seed)
    fillers = _fillers(generator, faker)
    for _ in range(count):
        carrier = CARRIERS[int(generator.integers(len(CARRIERS)))]
        sentence = carrier.format(**{slot: fill() for slot, fill in fillers.items() if "{" + slot + "}" in carrier})
        if readable(sentence):
            yield Text(sentence, say(sentence), "en", "transcribe", "entities", "Apache-2.0 AND MIT (Faker's names)")


def rare_words(count: int, seed: int) -> Iterator[Text]:
    """Carriers around words of the public-domain second edition of Webster's list: few were ever trained on."""
    generator = generator_for(seed, "rare-words")
    listed = [w for w in WORD_LIST.read_text().split() if w.islower() and w.isalpha() and 4 <= len(w) <= 11]
    for _ in range(count):
        carrier = WORD_CARRIERS[int(generator.integers(len(WORD_CARRIERS)))]
        first, second, third = (listed[int(i)] for i in generator.integers(len(listed), size=3))
        sentence = carrier.format(word=first, other_word=second, third_word=third)
        yield Text(sentence, sentence, "en", "transcribe", "rare-words", "Apache-2.0 AND public domain (word list)")
