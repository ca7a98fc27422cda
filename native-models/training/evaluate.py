"""How good a model is, in PyTorch, or how good `parlance eval` found a bundle: figures that agree with its own.

    python evaluate.py SUITE.json --adaptor runs/default/export --encoder model.bin --llm SmolLM2.gguf
    python evaluate.py SUITE.json --adaptor runs/default/answer/checkpoint.pt --settings settings/default.yaml …
    python evaluate.py SUITE.json --results results.jsonl

Prints a line of JSON for each subject, as `parlance eval --json` does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import yaml

from evaluation.results import Response, Result, summarise
from evaluation.suite import Item, read_suite


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures a model by sounds whose words and answers are known.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--results", type=Path, help="what `parlance eval -o` wrote, measured again")
    add_model_options(parser)
    given = parser.parse_args()
    suite = read_suite(given.suite)
    if given.results is not None:
        results = read_results(given.results, suite)
    elif None not in (given.adaptor, given.encoder, given.llm):
        results = listen(suite, given)
    else:
        parser.error("name --results, or --adaptor, --encoder and --llm")
    for subject in dict.fromkeys(result.subject for result in results):
        print(json.dumps({"type": "summary", "subject": subject, "measures": summarise(results, subject)}))


def add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--adaptor", type=Path, help="a folder with adaptor.json, or a .pt of recipes/default.py")
    parser.add_argument("--settings", type=Path, help="of the run that wrote the .pt")
    parser.add_argument("--recipe", type=Path, help="recipe.json of its bundle: prompt and penalty")
    parser.add_argument("--encoder", type=Path, help="CTranslate2's model.bin, or a folder that transformers wrote")
    parser.add_argument("--llm", type=Path, help="a GGUF file")
    parser.add_argument("--max-tokens", type=int, default=64)


def listen(suite: list[Item], given: argparse.Namespace) -> list[Result]:
    # Loads PyTorch, which results that are there already do without.
    from evaluation.listening import SpeechLlm, run_item
    from evaluation.loading import Published, load_listener
    from parts.conversation import Prompt
    from parts.settings import parse
    from recipes.default import DefaultSettings

    settings = parse(DefaultSettings, yaml.safe_load(given.settings.read_text())) if given.settings else None
    beside = given.adaptor / "recipe.json"
    path = given.recipe or (beside if beside.exists() else None)
    recipe = json.loads(path.read_text()) if path else {}
    if settings is None and "prompt" not in recipe:
        raise SystemExit("error: the prompt is not known; name the bundle's recipe.json with --recipe")
    prompt = Prompt(recipe["prompt"].get("system", ""), recipe["prompt"]["tasks"]) if recipe else settings.prompt
    penalty = recipe.get("card", {}).get("generation", {}).get("repetitionPenalty", 1.0)
    model = load_listener(given.adaptor, Published(given.encoder, given.llm, prompt), settings)
    listener = SpeechLlm(model, penalty)
    return [result for item in suite for result in run_item(listener, item, given.max_tokens)]


def read_results(path: Path, suite: list[Item]) -> list[Result]:
    """The texts and losses of `parlance eval`; everything else is computed anew."""
    items = {item.name: item for item in suite}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Result(
            items[line["item"]],
            line["subject"],
            *((line[part] or {}).get("text") for part in ("transcript", "answer")),
            line["response"] and Response(**line["response"]),
            (line["translation"] or {}).get("text"),
        )
        for line in lines
        if line["type"] == "item"
    ]


if __name__ == "__main__":
    main()
