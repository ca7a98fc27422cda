"""What the LLM's scores are compared with."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum over targets, in nats; `[targets, vocabulary]`, `[targets]`."""
    return F.cross_entropy(logits, labels, reduction="sum")


def distillation(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """KL(teacher ‖ student) summed over targets `[targets, vocabulary]`: the LLM given sound is to expect what the
    same LLM expects given the transcript (AudioChatLlama, section 3.3, made soft)."""
    log_student = F.log_softmax(student / temperature, -1)
    log_teacher = F.log_softmax(teacher.detach() / temperature, -1)
    return F.kl_div(log_student, log_teacher, log_target=True, reduction="sum") * temperature**2
