"""What transformers makes of exported folders: `python logits_of_folders.py TEXT FOLDER...`.

For each folder it loads tokenizer, Whisper's encoder and the language model with transformers' own classes and puts
Ultravox's projector between them. It hears the `features` [mels, frames] of a probe of the bundle, an even number of
frames, out of `FOLDER/../bundle.safetensors`. Into `FOLDER/../transformers.safetensors` it writes `encoder`
[frames/2, width], `adaptor` [tokens, hidden] and `logits` [positions, vocabulary] for the probe's `ids` (-1 where the
sound is), and `text`, the tokens of TEXT.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, WhisperConfig
from transformers.activations import ACT2FN
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.whisper.modeling_whisper import WhisperEncoder


def below(weights: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    """The tensors of one module, by their names within it."""
    return {key.removeprefix(name): value.float() for key, value in weights.items() if key.startswith(name)}


def encoded(config: dict, weights: dict[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor:
    """[1, mels, frames] → [1, frames/2, width]. Positions are cut to the clip, as Ultravox's audio tower does."""
    positions = features.shape[-1] // 2
    encoder = WhisperEncoder(WhisperConfig(**{**config, "max_source_positions": positions})).eval()
    table = weights["embed_positions.weight"]
    encoder.load_state_dict({**weights, "embed_positions.weight": table[:positions]})
    return encoder(features).last_hidden_state


def projected(config: dict, weights: dict[str, torch.Tensor], frames: torch.Tensor) -> torch.Tensor:
    """[1, frames, width] → [1, tokens, hidden]: Ultravox's projector."""

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        weight = weights.get(f"{name}.weight")
        return x if weight is None else functional.rms_norm(x, x.shape[-1:], weight, eps=1e-6)

    stack = config["stack_factor"]
    filled = functional.pad(frames, (0, 0, 0, -frames.shape[1] % stack))
    stacked = norm(filled.reshape(1, -1, stack * frames.shape[2]), "ln_pre")
    wide = functional.linear(stacked, weights["linear_1.weight"])
    if config["projector_act"] == "swiglu":
        value, gate = wide.chunk(2, dim=-1)
        active = functional.silu(gate) * value
    else:
        active = ACT2FN[config["projector_act"]](wide)
    return norm(functional.linear(norm(active, "ln_mid"), weights["linear_2.weight"]), "ln_post")


@torch.no_grad()
def compute(folder: Path, text: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "model.safetensors")
    probe = load_file(folder.parent / "bundle.safetensors")

    encoder = encoded(config["audio_config"], below(weights, "audio_tower."), probe["features"][None])
    adaptor = projected(config, below(weights, "multi_modal_projector."), encoder)

    text_config = dict(config["text_config"])
    language_config = CONFIG_MAPPING[text_config["model_type"]](**text_config)
    language = AutoModelForCausalLM.from_config(language_config, dtype=torch.float32).eval()
    missing, unexpected = language.load_state_dict(below(weights, "language_model."), strict=False)
    tied = {"lm_head.weight"} if language_config.tie_word_embeddings else set()
    if unexpected or set(missing) - tied:
        raise SystemExit(f"{folder}: language_model lacks {missing} and has {unexpected}")
    language.tie_weights()

    ids = probe["ids"]
    embedded = language.get_input_embeddings()(ids.clamp(min=0))
    embedded[ids == -1] = adaptor[0]
    logits = language(inputs_embeds=embedded[None]).logits[0]

    # The folder names code of others, which no tokenizer needs.
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if tokenizer.convert_tokens_to_ids("<|audio|>") != config["audio_token_index"]:
        raise SystemExit(f"{folder}: the placeholder's token is not the one of config.json")
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    message = [{"role": "user", "content": "<|audio|>"}]
    if tokenizer.chat_template and "<|audio|>" not in tokenizer.apply_chat_template(message, tokenize=False):
        raise SystemExit(f"{folder}: the chat template loses the placeholder")
    results = {"encoder": encoder[0], "adaptor": adaptor[0], "logits": logits, "text": torch.tensor(tokens)}
    save_file({name: value.contiguous() for name, value in results.items()}, folder.parent / "transformers.safetensors")


for path in sys.argv[2:]:
    compute(Path(path), sys.argv[1])
