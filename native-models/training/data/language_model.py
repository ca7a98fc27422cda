"""The LLM that writes instructions and replies: SmolLM2 from its GGUF file, in bfloat16, in batches."""

from __future__ import annotations

from pathlib import Path

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""The system prompt of the bundle `parlance-mini`, so that replies are those it would give."""
SOURCE = "SmolLM2-135M-Instruct"
LICENCE = "Apache-2.0"


class LanguageModel:
    """Text in, text out; `gguf` is the file that the bundle itself is made of."""

    def __init__(self, gguf: Path, threads: int = 1) -> None:
        # Imported here: they take seconds, and most of a build does without them.
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

        self._torch = torch
        torch.set_num_threads(threads)
        folder, name = str(gguf.parent), gguf.name
        self.tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name, padding_side="left")
        # Dense bfloat16: AMX multiplies it several times faster than float32 or packed blocks.
        self.model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
        ).eval()
        self._end = self.tokenizer.convert_tokens_to_ids("<|im_end|>")

    def complete(self, prompts: list[str], most_tokens: int, seed: int | None) -> list[tuple[str, bool]]:
        """Continues each prompt up to the end-of-turn mark → (text, whether it ended by itself).

        Greedy when `seed` is None, else sampled at temperature 1, top-p 0.95.
        """
        # The tokenizer of this GGUF would add a start token by itself; the template already has its own.
        batch = self.tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        sampling = {"do_sample": False}
        if seed is not None:
            self._torch.manual_seed(seed)
            sampling = {"do_sample": True, "temperature": 1.0, "top_p": 0.95, "top_k": 0}
        with self._torch.inference_mode():
            out = self.model.generate(
                **batch,
                max_new_tokens=most_tokens,
                eos_token_id=self._end,
                pad_token_id=self._end,
                **sampling,
            )
        completed = []
        for row in out[:, batch["input_ids"].shape[1] :].tolist():
            ended = self._end in row
            tokens = row[: row.index(self._end)] if ended else row
            completed.append((self.tokenizer.decode(tokens, skip_special_tokens=False).strip(), ended))
        return completed


def user_header() -> str:
    """All that comes before what a person says: Magpie's whole prompt."""
    return f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n"


def conversation(message: str) -> str:
    """The chat template up to the assistant's reply."""
    return f"{user_header()}{message}<|im_end|>\n<|im_start|>assistant\n"
