"""SALMONN's three stages, and after each what is left of the LLM's own abilities as LoRA counts less and less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evaluation.metrics import distinct_words, follows_instruction
from parts.adaptors import AdaptorSettings
from parts.checkpoints import seed_everything
from parts.conversation import TextPiece
from parts.listener import Listener, Turn
from parts.lora import discounted
from parts.shards import Clips, Sample
from recipes import salmonn
from study.arms import Arm
from study.clips import transcribed
from study.listen import cut_replies, stage
from study.measures import free_text, free_texts, heard
from study.records import Record
from study.shared import Shared
from study.warm_start import warm_start

DISCOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_STORIES = 12
_LONGEST_STORY = 40


def run_arm(shared: Shared, arm: Arm, record: Record) -> None:
    seed = arm.options["seed"]
    seed_everything(seed)
    settings = _settings(shared, arm.name, seed)
    speech = shared.samples["speech"]
    answered = [sample for sample in speech if sample.about["response"]]
    # A third of each kind, as far as they go.
    count = len(shared.samples["sounds"])
    samples = transcribed(speech[: 2 * count]) + cut_replies(shared, answered[:count]) + shared.samples["sounds"]
    bench = shared.bench(samples, transcribed(shared.samples["held-out"][:32]), seed, silent=False)
    listener = salmonn.new_listener(settings, bench, shared.frames)
    begin = stage(shared.settings, "warm", seed)
    warm_start(shared, arm.name, listener.adaptor, listener.frames, transcribed(speech), begin, Clips)
    record.stage(settings.out / "warm")
    told = shared.samples["held-out"][:_STORIES]
    references = _own_stories(shared, listener, told)

    def sweep() -> salmonn.Figures:
        return {str(discount): _figures(shared, listener, discount, told, references) for discount in DISCOUNTS}

    for name, figures in salmonn.train_stages(settings, bench, listener, sweep).items():
        record.stage(settings.out / name)
        for discount, found in figures.items():
            record.add("discount", stage=name, discount=float(discount), **found)


def _settings(shared: Shared, name: str, seed: int) -> salmonn.SalmonnSettings:
    settings = shared.settings
    tasks = {"story": "\nTell a short story about what you hear."}
    return salmonn.SalmonnSettings(
        data=settings.data,
        encoder=settings.encoder,
        llm=settings.llm,
        out=settings.work / name,
        run=stage(settings, "listen", seed),
        instruction=stage(settings, "listen", seed, learning_rate=3e-4),
        activation=stage(settings, "activation", seed, learning_rate=1e-4),
        activation_share=0.02,
        longest_story=_LONGEST_STORY,
        tasks={},
        prompt=replace(settings.prompt, tasks=settings.prompt.tasks | tasks),
        adaptor=AdaptorSettings("window-q-former"),
        augmented_share=0.0,
        seed=seed,
    )


def _own_stories(shared: Shared, listener: Listener, samples: list[Sample]) -> dict[str, str]:
    """Of the LLM as published, given the words in writing."""
    ids, instruction = shared.tokenizer.ids, listener.prompt.tasks["story"]
    with discounted(listener.llm, 0.0), shared.precision.autocast():
        return {
            s.about["id"]: free_text(listener, [TextPiece(ids(s.about["text"]))], instruction, _LONGEST_STORY)
            for s in samples
        }


def _figures(
    shared: Shared, listener: Listener, discount: float, told: list[Sample], references: dict[str, str]
) -> dict[str, float]:
    prompt, samples = listener.prompt, shared.samples
    story = prompt.tasks["story"]

    def words(about: dict[str, Any]) -> Turn:
        return Turn(prompt.tasks["transcribe"], about["text"])

    def question(about: dict[str, Any]) -> Turn:
        return Turn(f"\n{about['question']}", about["response"])

    def tale(about: dict[str, Any]) -> Turn:
        return Turn(story, references[about["id"]])

    with discounted(listener.llm, discount):
        found = heard(shared, listener, samples["held-out"][:48], words, Clips).figures("transcript")
        found |= heard(shared, listener, samples["held-out-sounds"], question, Clips).figures("sound")
        found |= heard(shared, listener, told, tale, Clips).figures("story")
        texts = free_texts(shared, listener, told, story, Clips, _LONGEST_STORY)
    said = {sample.about["id"]: sample.about["text"] for sample in told}
    follows = [follows_instruction(text, said[name], "en") for name, text in texts.items()]
    different = [distinct_words(text) for text in texts.values()]
    return found | {"following": sum(follows) / len(follows), "different_words": sum(different) / len(different)}
