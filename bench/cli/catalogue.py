"""What ships with timbrebench, by name. A line here and a file are all that a method, suite or metric needs.

Classes are named as text and imported on first use. Other packages register theirs as entry points in the
groups named here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.registry import Registry

if TYPE_CHECKING:
    from bench.backbone import Backbone
    from bench.embedder import Embedder
    from bench.method import Method
    from bench.metric import Metric
    from bench.suite import SuiteBuilder


def methods() -> Registry[Method]:
    """Methods, baselines and controls."""
    registry: Registry[Method] = Registry("method", base="bench.method:Method", group="timbrebench.methods")
    add = registry.add
    add("polyphonia", "methods.polyphonia.method:Polyphonia", "acoustic priors steer the attention (ICML 2026)")
    add(
        "mi-inpainting",
        "methods.mi_inpainting.method:MIInpainting",
        "ported to AudioLDM 2, 8 channels: regenerate those that tell the instrument (ICASSP 2026)",
    )
    add(
        "mi-inpainting-reference",
        "methods.mi_inpainting.method:MIInpaintingReference",
        "the same, ported, steered by a recording; experimental",
    )
    add("sdedit", "baselines.sdedit:SDEdit", "noise the source part of the way, denoise with the target prompt")
    add("ddim-inversion", "baselines.ddim_inversion:DDIMInversion", "invert the source, generate with the target")
    add("ddpm-friendly", "baselines.ddpm_friendly:DDPMFriendly", "the source's noise path, with the target prompt")
    add("pni", "baselines.pni:PnI", "noise the source on the EDM grid, denoise with Heun's sampler")
    add("ddim-pni", "baselines.ddim_pni:DDIMPnI", "invert the source on the EDM grid, denoise with Heun's sampler")
    add("melodia", "baselines.melodia:Melodia", "follow the source's self-attention maps in some layers (AAAI 2026)")
    add("steermusic", "baselines.steermusic:SteerMusic", "move the latent by delta denoising scores (AAAI 2026)")
    add("musicmagus", "baselines.musicmagus:MusicMagus", "move the text embedding, hold cross-attention (IJCAI 2024)")
    add("ppae", "baselines.ppae:PPAE", "mix the source's text attention into the edit (ICML 2024), re-implemented")
    add("separate-edit-remix", "baselines.separate_edit_remix:SeparateEditRemix", "any editor on the stem alone")
    add("musicgen-melody", "baselines.musicgen:MusicGenMelody", "another model: a new recording along the melody")
    add("external", "baselines.external:External", "audio made elsewhere, matched to tasks by name")
    add("copy-source", "baselines.controls:CopySource", "control: the source, unchanged")
    add("codec", "baselines.controls:Codec", "control: the backbone's codec round trip, the ceiling of its methods")
    add("random-clip", "baselines.controls:RandomClip", "control: another song of the suite")
    add("true-edit", "baselines.controls:TrueEdit", "control: the true edit, where the suite has one")
    add("silence", "baselines.controls:Silence", "control: digital silence")
    return registry


NEED_MORE = frozenset({"external", "mi-inpainting-reference", "musicgen-melody", "true-edit"})
"""Methods that need more than any suite has (files, true edits, weights that are not embedded): `run --methods all`
leaves them out."""


def suites() -> Registry[SuiteBuilder]:
    """Suites, by their builders."""
    registry: Registry[SuiteBuilder] = Registry("suite", base="bench.suite:SuiteBuilder", group="timbrebench.suites")
    add = registry.add
    add("polyevalprompts", "tasks.polyevalprompts:PolyEvalPrompts", "1,170 edits on MUSDB18-HQ and MusicDelta")
    add("multitrack", "tasks.multitrack.suite:Multitrack", "any songs as stems: your own, Slakh2100, MoisesDB, …")
    add("pairs", "tasks.pairs.suite:Pairs", "contexts and references of other instruments, as in the MI-guided paper")
    add("synth", "tasks.synth.suite:Synth", "original pieces with sampled instruments and true edits")
    add("ci", "tasks.synth.ci:Ci", "the fixed pieces of synth for regression reports: 16 songs, 2 edits each, 5 s")
    return registry


def metrics() -> Registry[Metric]:
    """Metrics. Which of them `score` computes when is in `bench/cli/metric_sets.py`."""
    registry: Registry[Metric] = Registry("metric", base="bench.metric:Metric", group="timbrebench.metrics")
    add = registry.add
    add("cqt1-pcc", "bench.metrics.cqt:Cqt1Pcc", "melody kept: correlation of the strongest CQT bin, gated")
    add("cqt1-pcc@steermusic", "bench.metrics.cqt:Cqt1PccSteerMusic", "the same as published: left, ungated")
    add("chroma-cosine", "bench.metrics.chroma:ChromaCosine", "pitch classes kept: cosine of chroma")
    add("onset-f1", "bench.metrics.onset:OnsetF1", "rhythm kept: onsets within 50 ms")
    add("onset-f1-100ms", "bench.metrics.onset:OnsetF1At100Ms", "rhythm kept: onsets within 100 ms")
    add("onset-precision", "bench.metrics.onset:OnsetPrecision", "share of the edit's onsets that the source has")
    add("onset-recall", "bench.metrics.onset:OnsetRecall", "share of the source's onsets that the edit has")
    add("dpd-pesto-cents", "bench.metrics.pitch_distance:DpdPestoCents", "pitch of a monophonic stem kept, in cents")
    add("raw-pitch-accuracy", "bench.metrics.pitch_accuracy:RawPitchAccuracy", "voiced frames kept within 50 cents")
    add("raw-chroma-accuracy", "bench.metrics.pitch_accuracy:RawChromaAccuracy", "the same, octaves forgiven")
    add("pitch-jaccard", "bench.metrics.pitch_accuracy:PitchJaccard", "voiced frames on another semitone")
    add("background-logmel", "bench.metrics.background:BackgroundLogMel", "the rest of the mix kept, in dB")
    add("background-cqt1-pcc", "bench.metrics.background_kept:BackgroundCqt1Pcc", "melody of the rest kept")
    add("background-onset-f1", "bench.metrics.background_kept:BackgroundOnsetF1", "rhythm of the rest kept")
    add("background-lpaps", "bench.metrics.background_kept:BackgroundLpaps", "sound of the rest kept, to CLAP's layers")
    add("background-si-sdr", "bench.metrics.waveform:BackgroundSiSdr", "waveform of the rest kept, a gain forgiven")
    add("background-sdr", "bench.metrics.waveform:BackgroundSdr", "waveform of the rest kept, a filter forgiven")
    add("true-edit-logmel", "bench.metrics.true_edit:TrueEditLogMel", "distance to the true edit, in dB")
    add("true-edit-lpaps", "bench.metrics.layers:LpapsTrueEdit", "distance to the true edit, to CLAP's layers")
    add("loudness-change", "bench.metrics.loudness:LoudnessChange", "louder or softer than the source, in LU")
    add("clipping", "bench.metrics.loudness:Clipping", "samples at full scale, in percent")
    add("attention-entropy", "bench.metrics.attention_entropy:AttentionEntropy", "attention as sharp as the source's")
    add("attention-entropy-self", "bench.metrics.attention_entropy:SelfAttentionEntropy", "the same, self-attention")
    add("attention-entropy-loa", "bench.metrics.attention_entropy:LoaAttentionEntropy", "the same, LoA attention")
    add("clap", "bench.metrics.clap:Clap", "the edit sounds like the target prompt")
    add("clap@manor2024", "bench.metrics.clap:ClapManor2024", "the same with the published windows")
    add("clap-delta", "bench.metrics.clap:ClapDelta", "how much more so than the source")
    add("clap-phrase", "bench.metrics.clap:ClapPhrase", "the edited part sounds like the target phrase")
    add("clap-true-edit", "bench.metrics.clap:ClapTrueEdit", "the edit sounds like the true edit")
    add("clap-reference", "bench.metrics.clap:ClapReference", "the edit sounds like the timbre reference")
    add("lpaps", "bench.metrics.layers:Lpaps", "the edit sounds like the source, to CLAP's layers")
    add("lpaps@manor2024", "bench.metrics.layers:LpapsManor2024", "the same as published")
    add("fad", "bench.metrics.corpus:Fad", "the edits as a set against the sources, Fréchet distance")
    add("fad@fadtk", "bench.metrics.corpus:FadFadtk", "the same with fadtk's windows")
    add("fad-infinity", "bench.metrics.corpus:FadInfinity", "the same, extrapolated to sets of any size")
    add("fad-true-edit", "bench.metrics.corpus:FadTrueEdit", "the edits as a set against the true edits")
    add("fad-target", "bench.metrics.corpus:FadTarget", "the edited parts against the target instruments")
    add("kad", "bench.metrics.corpus:Kad", "the edits as a set against the sources, kernel distance")
    add("kad@kadtk-1.1.0", "bench.metrics.corpus:KadKadtk", "the same as kadtk 1.1.0 computes it")
    add("kad-true-edit", "bench.metrics.corpus:KadTrueEdit", "the edits as a set against the true edits")
    add("kad-target", "bench.metrics.corpus:KadTarget", "the edited parts against the target instruments")
    _with_networks(registry)
    return registry


def _with_networks(registry: Registry[Metric]) -> None:
    """Metrics that need a separator's weights, or a package that is not installed with timbrebench."""
    add = registry.add
    add("background-logmel@htdemucs", "bench.metrics.separated:SeparatedLogMel", "the rest kept, by HT-Demucs, in dB")
    add("background-cqt1-pcc@htdemucs", "bench.metrics.separated:SeparatedCqt1Pcc", "melody of the rest, by HT-Demucs")
    add("background-onset-f1@htdemucs", "bench.metrics.separated:SeparatedOnsetF1", "rhythm of the rest, by HT-Demucs")
    add("background-lpaps@htdemucs", "bench.metrics.separated:SeparatedLpaps", "sound of the rest, by HT-Demucs")
    add("background-si-sdr@htdemucs", "bench.metrics.separated:SeparatedSiSdr", "waveform of the rest, by HT-Demucs")
    add("background-sdr@htdemucs", "bench.metrics.separated:SeparatedSdr", "waveform, a filter forgiven, by HT-Demucs")
    add("dpd@mancusi2025", "bench.metrics.notes:DpdMancusi2025", "pitch classes kept, as Mancusi et al. have it")
    add("pitch-jaccard@mancusi2025", "bench.metrics.notes:PitchJaccardMancusi2025", "sets of pitch classes, likewise")
    add("aesthetics-ce", "bench.metrics.aesthetics:ContentEnjoyment", "content enjoyment, by Audiobox Aesthetics")
    add("aesthetics-cu", "bench.metrics.aesthetics:ContentUsefulness", "content usefulness, by Audiobox Aesthetics")
    add("aesthetics-pc", "bench.metrics.aesthetics:ProductionComplexity", "complexity, by Audiobox Aesthetics")
    add("aesthetics-pq", "bench.metrics.aesthetics:ProductionQuality", "production quality, by Audiobox Aesthetics")
    add("songeval-coherence", "bench.metrics.songeval:Coherence", "coherence of a song, by SongEval")
    add("songeval-musicality", "bench.metrics.songeval:Musicality", "musicality, by SongEval")
    add("songeval-memorability", "bench.metrics.songeval:Memorability", "memorability, by SongEval")
    add("songeval-clarity", "bench.metrics.songeval:Clarity", "clarity of structure, by SongEval")
    add("songeval-naturalness", "bench.metrics.songeval:Naturalness", "naturalness of singing, by SongEval")


def embedders() -> Registry[Embedder]:
    """Networks whose vectors metrics compare: `fad:vggish`."""
    registry: Registry[Embedder] = Registry("embedder", base="bench.embedder:Embedder", group="timbrebench.embedders")
    add = registry.add
    folder = "bench.metrics.embedders"
    add("laion-clap", f"{folder}.laion_clap:LaionClap", "LAION-CLAP, music_audioset_epoch_15_esc_90.14, 48 kHz")
    add("hf-clap", f"{folder}.hf_clap:HfClap", "any transformers ClapModel; default laion/larger_clap_general")
    add("nano-clap", f"{folder}.nano_clap:NanoClap", "embedded small CLAP, 16 kHz; knows the synth suite's sounds")
    add("vggish", f"{folder}.vggish:VGGish", "VGGish, 16 kHz, about a vector a second")
    add("pann", f"{folder}.pann:Pann", "PANN Cnn14, 32 kHz")
    add("pann-16k", f"{folder}.pann:Pann16k", "PANN Cnn14, 16 kHz")
    add("encodec", f"{folder}.encodec:Encodec", "EnCodec's encoder, 24 kHz")
    add("encodec-48k", f"{folder}.encodec:Encodec48k", "EnCodec's encoder, 48 kHz")
    return registry


def backbones() -> Registry[Backbone]:
    """Latent diffusion models."""
    registry: Registry[Backbone] = Registry("backbone", base="bench.backbone:Backbone", group="timbrebench.backbones")
    add = registry.add
    add("nano", "bench.backbones.nano.backbone:Nano", "embedded small AudioLDM 2, trained on synth songs")
    add("nano-untrained", "bench.backbones.nano.backbone:UntrainedNano", "its classes with random weights: for tests")
    add("audioldm2", "bench.backbones.audioldm2.model:AudioLDM2", "any diffusers AudioLDM 2: a folder or a hub id")
    add(
        "stable-audio-open",
        "bench.backbones.stable_audio.model:StableAudio",
        "any diffusers Stable Audio Open: stereo, 44.1 kHz; its latent has no frequency axis",
    )
    return registry
