"""How what is written is said: numbers, times, dates, money and units in words."""

from __future__ import annotations

import re

from num2words import num2words

UNITS = {
    "km": "kilometers",
    "kg": "kilograms",
    "cm": "centimeters",
    "mm": "millimeters",
    "mph": "miles per hour",
    "km/h": "kilometers per hour",
    "°C": "degrees Celsius",
    "°F": "degrees Fahrenheit",
    "ml": "milliliters",
    "GB": "gigabytes",
    "ft": "feet",
    "lb": "pounds",
    "oz": "ounces",
    "kW": "kilowatts",
}
CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
MONTHS = "January February March April May June July August September October November December".split()
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))


def cardinal(digits: str) -> str:
    """`1,250` → "one thousand two hundred fifty"; `3.14` → "three point one four"."""
    whole, _, fraction = digits.replace(",", "").partition(".")
    words = num2words(int(whole)).replace(" and ", " ").replace(",", "").replace("-", " ")
    return words + (" point " + " ".join(num2words(int(digit)) for digit in fraction) if fraction else "")


def ordinal(number: int) -> str:
    return num2words(number, to="ordinal").replace(" and ", " ").replace("-", " ")


def year(number: int) -> str:
    return num2words(number, to="year").replace(" and ", " ").replace("-", " ")


def clock(hour: int, minute: int) -> str:
    """`7:05` → "seven oh five"; `7:00` → "seven o'clock"."""
    if minute == 0:
        return f"{cardinal(str(hour))} o'clock"
    return f"{cardinal(str(hour))} {'oh ' if minute < 10 else ''}{cardinal(str(minute))}"


def _plural(count: int, noun: str) -> str:
    if count == 1:
        return f"{cardinal(str(count))} {noun}"
    return f"{cardinal(str(count))} {'pence' if noun == 'penny' else noun + 's'}"


def _money(match: re.Match[str]) -> str:
    whole, _, fraction = match.group(2).replace(",", "").partition(".")
    noun, part = CURRENCIES[match.group(1)]
    words = _plural(int(whole), noun)
    return words + (f" and {_plural(int(fraction), part)}" if len(fraction) == 2 and int(fraction) else "")


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match.group(1)), int(match.group(2)), match.group(3)
    said = clock(hour, minute)
    return (said.replace(" o'clock", "") + " " + " ".join(half.replace(".", "").upper())) if half else said


def say(text: str) -> str:
    """The sentence as it is spoken; only English. What has no digits or signs comes back unchanged."""
    months = "|".join(MONTHS)
    text = re.sub(r"\b(\d{1,2}):(\d{2})(?: ?([ap]\.?m\.?\b))?", _time, text)
    text = re.sub(rf"([$€£])({_NUMBER})", _money, text)
    text = re.sub(rf"\b({months}) (\d{{1,2}})\b(?!\d)", lambda m: f"{m[1]} {ordinal(int(m[2]))}", text)
    text = re.sub(rf"({_NUMBER})\s?%", lambda m: f"{cardinal(m[1])} percent", text)
    text = re.sub(
        rf"\b(1 |{_NUMBER} ?)({_UNIT})(?![A-Za-z/])",
        lambda m: f"{cardinal(m[1].strip())} {_singular(m[1], UNITS[m[2]])}",
        text,
    )
    text = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1])), text)
    text = re.sub(r"\b(1[1-9]\d{2}|20\d{2})\b(?![,.]\d)", lambda m: year(int(m[1])), text)
    text = re.sub(r"\b\d(?:-\d)+\b", lambda m: " ".join(cardinal(d) for d in m[0].split("-")), text)
    return re.sub(_NUMBER, lambda m: cardinal(m[0]), text).replace(" & ", " and ")


def _singular(count: str, unit: str) -> str:
    if count.strip() != "1":
        return unit
    first, _, rest = unit.partition(" ")
    return (("foot" if first == "feet" else first.removesuffix("s")) + " " + rest).strip()


def words(said: str) -> str:
    """The words alone, for recognition without case or punctuation: "it's seven o'clock"."""
    plain = said.replace("’", "'").replace("-", " ").lower()
    return " ".join(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", plain))
