import pytest
import torch

from parts.adaptors import AdaptorSettings, new_adaptor
from parts.conformer import ConformerEncoder
from parts.filter_bank import filter_bank
from parts.stack_conv_ctc import StackConvCtc, StackConvCtcSettings

KINDS = {
    "linear": ["aligner.weight"],
    "mlp": ["adaptor.0.weight", "adaptor.2.weight"],
    "conv": ["adaptor.layers.0.weight", "adaptor.layers.1.weight"],
    "stack": ["adaptor.0.weight"],
    "q-former": ["speech_query_tokens", "speech_Qformer.bert.encoder.layer.0.crossattention.self.query.weight"],
    "window-q-former": ["ln_speech.weight", "speech_llama_proj.weight"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_adaptor_hears_a_clip_in_a_batch_as_alone_and_has_the_foundrys_names(kind: str):
    torch.manual_seed(0)
    adaptor = new_adaptor(AdaptorSettings(kind, query_width=128), 64, 48, 3.0).eval()
    assert set(KINDS[kind]) <= set(adaptor.state_dict())
    frames, lengths = torch.randn(2, 100, 64), torch.tensor([100, 60])
    with torch.no_grad():
        vectors, counts = adaptor(frames, lengths)
        alone, count = adaptor(frames[1:, :60], lengths[1:])
    assert int(count[0]) == int(counts[1])
    torch.testing.assert_close(vectors[1, : counts[1]], alone[0, : count[0]], atol=1e-5, rtol=1e-4)
    assert 2 < float(vectors[0].norm(dim=-1).mean()) < 4


@pytest.mark.parametrize("heads", [0, 2])
def test_stack_conv_ctc_hears_a_clip_in_a_batch_as_alone(heads: int):
    torch.manual_seed(0)
    settings = StackConvCtcSettings(64, 2, 32, 16, blocks=2, wide=32, heads=heads)
    adaptor = StackConvCtc(settings, torch.randn(9, 16)).eval()
    frames, lengths = torch.randn(2, 40, 64), torch.tensor([40, 24])
    with torch.no_grad():
        both, alone = adaptor(frames, lengths), adaptor(frames[1:, :24], lengths[1:])
        scores = adaptor.scores(both)
        labels, kept = adaptor.kept(both)
    torch.testing.assert_close(both.vectors[1, :12], alone.vectors[0], atol=1e-5, rtol=1e-4)
    assert scores.shape == (2, 20, 10)
    assert not kept[1, 12:].any() and not kept[labels == 0].any()


def test_the_blanks_offset_is_folded_into_what_is_exported():
    adaptor = StackConvCtc(StackConvCtcSettings(16, 2, 16, 8, blocks=1, wide=8, heads=2), torch.randn(4, 8))
    adaptor.blank_offset.fill_(1.5)
    exported = adaptor.export_tensors()
    torch.testing.assert_close(exported["adaptor.blank.bias"], adaptor.blank.bias - 1.5)
    assert "ctc.bias" in exported and not any("offset" in name or "classes" in name for name in exported)


def test_conformer_hears_a_clip_in_a_batch_as_alone():
    torch.manual_seed(0)
    encoder = ConformerEncoder(64, 2, 30, channels=8).eval()
    bank = filter_bank(torch.randn(16000) * 0.1)
    assert bank.shape == (98, 80)
    with torch.no_grad():
        both, lengths = encoder(torch.stack([bank, bank]), torch.tensor([98, 70]))
        alone, _ = encoder(bank[None, :70], torch.tensor([70]))
    assert lengths.tolist() == [13, 9]
    torch.testing.assert_close(both[1, :9], alone[0], atol=1e-4, rtol=1e-4)
    assert "conformer.conformer_layers.0.self_attn.in_proj_weight" in encoder.state_dict()


def test_a_batchs_padding_does_not_change_what_a_conformer_learns():
    torch.manual_seed(0)
    banks, lengths = torch.randn(2, 96, 80), torch.tensor([96, 64])
    encoder = ConformerEncoder(64, 1, 30, channels=8)
    gradients, states = [], []
    for frames in (96, 160):
        padded = torch.nn.functional.pad(banks, (0, 0, 0, frames - 96), value=3.0)
        fresh = ConformerEncoder(64, 1, 30, channels=8)
        fresh.load_state_dict(encoder.state_dict())
        x, shorter = fresh(padded, lengths)
        heard = torch.arange(x.shape[1]) < shorter[:, None]
        x[heard].square().sum().backward()
        convolution = fresh.conformer.conformer_layers[0].conv_module.sequential
        gradients.append(convolution["0"].weight.grad)
        states.append(convolution["3"].running_var)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(states[0], states[1])


def test_filter_bank_is_kaldis():
    """Golden values: torchaudio 2.11's `compliance.kaldi.fbank` without dither."""
    seconds = torch.arange(1600, dtype=torch.float64) / 16000
    rising = 0.3 * torch.sin(2 * torch.pi * (300 + 20000 * seconds) * seconds) + 0.1
    bank = filter_bank(rising.float())
    assert bank.shape == (8, 80)
    golden = torch.tensor([11.940577, 9.313396, 8.759770, 0.786712])
    torch.testing.assert_close(bank[[0, 0, 3, 7], [0, 40, 25, 79]], golden, atol=2e-3, rtol=0)
    assert float(bank.mean()) == pytest.approx(9.0502, abs=1e-3)
