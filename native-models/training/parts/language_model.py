"""The LLM and its tokenizer from a GGUF file, dequantised to the values that the app computes with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

_CONTROL_TOKEN = 3
_LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


@lru_cache(maxsize=2)
def _reader(path: Path) -> gguf.GGUFReader:
    """Read once for the weights and the tokens: the token table takes seconds."""
    return gguf.GGUFReader(str(path))


def load_language_model(path: Path, dtype: torch.dtype = torch.float32) -> LlamaForCausalLM:
    """A Llama of any size, frozen. Throws KeyError for a file of another family."""
    reader = _reader(path)
    fields = {name: field.contents() for name, field in reader.fields.items() if name.startswith("llama.")}
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    heads = int(fields["llama.attention.head_count"])
    key_heads = int(fields["llama.attention.head_count_kv"])
    state = {_name(name): _values(tensor) for name, tensor in tensors.items() if name != "rope_freqs.weight"}
    for name, value in state.items():
        # This family's file has the rows of queries and keys in pairs, for a rotary position of neighbours.
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            count = heads if "q_proj" in name else key_heads
            state[name] = value.unflatten(0, (count, -1, 2)).transpose(1, 2).reshape(value.shape)
    config = LlamaConfig(
        vocab_size=len(state["model.embed_tokens.weight"]),
        hidden_size=int(fields["llama.embedding_length"]),
        intermediate_size=int(fields["llama.feed_forward_length"]),
        num_hidden_layers=int(fields["llama.block_count"]),
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        max_position_embeddings=int(fields["llama.context_length"]),
        rms_norm_eps=float(fields["llama.attention.layer_norm_rms_epsilon"]),
        rope_parameters={"rope_type": "default", "rope_theta": float(fields["llama.rope.freq_base"])},
        tie_word_embeddings="lm_head.weight" not in state,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    state.setdefault("lm_head.weight", state["model.embed_tokens.weight"])
    model.load_state_dict(state, assign=True)
    # Computed from the configuration: what was made without memory is made again.
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.tie_weights()
    # On a CPU the gradient of its fused attention is slower than the products written out.
    model.set_attn_implementation("sdpa" if torch.cuda.is_available() else "eager")
    return model.to(dtype).eval().requires_grad_(False)


def _name(name: str) -> str:
    outer = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
    stem, _, part = name.rpartition(".")
    if stem in outer:
        return f"{outer[stem]}.{part}"
    _, layer, module = stem.split(".")
    return f"model.layers.{layer}.{_LAYER_NAMES[module]}.{part}"


def _values(tensor: gguf.ReaderTensor) -> Tensor:
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return torch.from_numpy(np.array(values, dtype=np.float32))


class ChatTokenizer:
    """The LLM's byte-pair tokens; text never gets tokens that it does not name itself."""

    def __init__(self, tokenizer: Tokenizer, end: int) -> None:
        self.tokenizer, self.end = tokenizer, end

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def text(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def pieces(self) -> dict[str, int]:
        """Tokens that are letters, apostrophes and at most a space before them → their id."""
        plain = {piece.replace("Ġ", " "): number for piece, number in self.tokenizer.get_vocab().items()}
        return {
            piece: number
            for piece, number in plain.items()
            if (letters := piece.removeprefix(" ").replace("'", "")).isascii() and (letters.isalpha() or piece == "'")
        }


def load_tokenizer(path: Path) -> ChatTokenizer:
    """Throws ValueError for a pre-tokenizer that is not SmolLM's."""
    fields = _reader(path).fields
    kind = fields["tokenizer.ggml.pre"].contents()
    if kind != "smollm":
        raise ValueError(f"{path} splits text as {kind}; smollm is read")
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return ChatTokenizer(tokenizer, int(fields["tokenizer.ggml.eos_token_id"].contents()))
