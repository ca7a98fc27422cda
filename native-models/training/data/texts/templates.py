"""Questions and commands from templates of ours; each slot is filled from short lists by a seeded generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.items import Text, generator_for
from data.texts.spoken_forms import say

LICENCE = "Apache-2.0"
COUNTRIES = (
    "France Germany Italy Spain Japan China India Brazil Canada Mexico Egypt Kenya Nigeria Russia Poland "
    "Sweden Norway Finland Denmark Greece Turkey Iran Israel Australia Peru Chile Argentina Portugal Ireland "
    "Scotland England Austria Belgium Hungary Ukraine Vietnam Thailand Indonesia Pakistan Morocco Cuba Iceland "
    "Switzerland Ethiopia Ghana Jordan Malaysia Nepal Colombia Jamaica"
).split()
THINGS = (
    "cat dog horse whale tree bird computer phone camera car train bicycle plane battery engine robot guitar "
    "piano violin river mountain ocean desert volcano earthquake hurricane rainbow star planet moon comet galaxy "
    "heart brain lung bone muscle virus vaccine sandwich cheese chocolate pizza soup salad apple banana orange "
    "potato tomato garden flower rose bee butterfly spider shark elephant lion tiger bear wolf rabbit school "
    "library hospital museum bridge castle tower window kitchen sofa pillow lamp shirt shoe jacket umbrella "
    "telescope microscope compass calendar clock hammer ladder kettle mirror wallet ticket passport candle"
).split()
SUBJECTS = (
    "photosynthesis gravity evolution democracy inflation electricity magnetism friendship happiness meditation "
    "sleep exercise music history mathematics physics chemistry biology poetry painting dancing football "
    "basketball tennis swimming chess cooking gardening programming writing reading travel climate recycling "
    "pollution energy money education health medicine law religion philosophy psychology economics astronomy "
    "geography language grammar vocabulary nutrition photography sculpture architecture farming sailing"
).split()
PEOPLE = (
    "my teacher, my boss, my mother, my father, my sister, my brother, a friend, a customer, my neighbor, "
    "my landlord, my doctor, a colleague, my grandmother, the new student"
).split(", ")
DEEDS = (
    "learn to swim, bake bread, fix a flat tire, write a letter, save money, fall asleep faster, stop worrying, "
    "cook rice, plant tomatoes, clean the oven, train a puppy, remember names, speak in public, paint a wall, "
    "pack for a journey, choose a laptop, make new friends, wake up early, sharpen a knife, remove a stain"
).split(", ")
FOODS = (
    "pancakes, lentil soup, apple pie, fried rice, vegetable curry, scrambled eggs, banana bread, tomato sauce, "
    "roast chicken, onion soup, oatmeal, potato salad, hot chocolate, mushroom risotto, lemonade"
).split(", ")
ROOMS = "kitchen, bedroom, bathroom, hallway, garage, office, attic, basement, garden, living room".split(", ")
SLOTS: dict[str, list[str]] = {
    "country": COUNTRIES,
    "other_country": COUNTRIES,
    "thing": THINGS,
    "other_thing": THINGS,
    "subject": SUBJECTS,
    "other_subject": SUBJECTS,
    "person": PEOPLE,
    "deed": DEEDS,
    "food": FOODS,
    "room": ROOMS,
    "number": [str(n) for n in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20)],
}
QUESTIONS = (
    "What is the capital of {country}?|Which language do people speak in {country}?|Where is {country}?|"
    "What food is popular in {country}?|What is the weather like in {country} in the winter?|"
    "How do I travel from {country} to {other_country}?|Is {country} larger than {other_country}?|"
    "What is a {thing}?|How does a {thing} work?|What color is a {thing}?|How big is a {thing}?|"
    "Is a {thing} bigger than a {other_thing}?|What is the difference between a {thing} and a {other_thing}?|"
    "Why do people like the {thing}?|What can I do with an old {thing}?|Who invented the {thing}?|"
    "What is {subject}?|Why is {subject} important?|How can I get better at {subject}?|"
    "What are the benefits of {subject}?|How is {subject} related to {other_subject}?|"
    "What is the best way to {deed}?|How long does it take to {deed}?|Can you teach me how to {deed}?|"
    "What do I need to make {food}?|Is {food} healthy?|What goes well with {food}?|"
    "What should I say to {person}?|What is a good present for {person}?|"
    "How do I keep my {room} tidy?|What is the first thing I should know about {subject}?|"
    "Could you tell me what a {thing} is made of?|Do you know anything about {subject} in {country}?|"
    "What would happen without {subject}?|Why did people in {country} begin to use the {thing}?"
).split("|")
COMMANDS = (
    "Tell me about the history of {country}.|Tell me a story about a {thing} and a {other_thing}.|"
    "Write a short poem about a {thing}.|Describe a {thing} in one sentence.|"
    "Explain {subject} to a child.|Give me {number} facts about {subject}.|"
    "List {number} things that I can find in a {room}.|Suggest a name for my {thing}.|"
    "Write an email about {subject} to {person}.|Write a short letter to {person} about a {thing}.|"
    "Give me a recipe for {food}.|Help me plan a trip to {country}.|Compare {subject} with {other_subject}.|"
    "Summarize what you know about {subject} in {number} sentences.|Make a plan so that I can {deed}.|"
    "Please explain, step by step, how to {deed}.|I want to learn about {subject}, where should I start?|"
    "Name {number} animals that live in {country}.|Turn on the light in the {room}, please.|"
    "Remind me to call {person} tomorrow morning.|Put {food} on my shopping list.|"
    "Tell {person} that I will be late because of the {thing}.|Tell me a joke about a {thing}.|"
    "Write a question about {subject} for a quiz.|Translate the word {thing} into French."
).split("|")


def fill(template: str, generator: np.random.Generator) -> str:
    """One sentence of the template; a second slot of a kind is never filled like the first."""
    chosen: dict[str, str] = {}
    for slot, entries in SLOTS.items():
        if "{" + slot + "}" in template:
            rest = [entry for entry in entries if entry not in chosen.values()]
            chosen[slot] = rest[int(generator.integers(len(rest)))]
    sentence = template.format(**chosen)
    for vowel in "aeiou":
        sentence = sentence.replace(f" a {vowel}", f" an {vowel}")
    return sentence


def questions_and_commands(count: int, seed: int) -> Iterator[Text]:
    generator = generator_for(seed, "templates")
    templates = QUESTIONS + COMMANDS
    for _ in range(count):
        sentence = fill(templates[int(generator.integers(len(templates)))], generator)
        yield Text(sentence, say(sentence), "en", "answer", "templates", LICENCE)
