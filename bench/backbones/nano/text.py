"""nano's text side: the published classes, small, untrained; the tokenizers are built in memory.

T5's words are those of music prompts; any other word is spelled in characters, and what is not printable ASCII is the
unknown token. CLAP's RoBERTa reads bytes. So no text can fail, and every T5 token has its range of characters.
"""

from __future__ import annotations

import string

from diffusers import AudioLDM2ProjectionModel
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from bench.backbones.nano.unet import LOA_WIDTH, TEXT_WIDTH
from bench.backbones.nano.weights import seeded

CLAP_WIDTH = 32
MAX_TOKENS = 128
LOA_TOKENS = 8

_SPACE = "▁"
_WORDS = """
a an and at beat beats big by fast for from heavy in is kit line machine melody mix music of on part piece played
playing recording rhythm section slow solo song sound the track version voice with without accompaniment backing
ensemble band accordion acoustic alto bagpipe banjo bass bassline bassoon bells brass cello celesta chimes choir
clarinet clavinet congas cymbals double drum drums electric electronic fiddle flute French grand guitar guitars
harmonica harp harpsichord hat hi horn horns keyboard kick lead mandolin marimba muted nylon oboe ocarina orchestra
orchestral organ pad percussion piano piccolo pipe recorder riff saxophone shakuhachi shamisen sitar snare soprano
steel string strings synth synthesizer tabla tambourine tenor timpani tom trombone trumpet tuba ukulele upright
vibraphone viola violin vocal vocals whistle woodwind xylophone female male singing rap airy aggressive ambient
atmospheric blues bold bright brushed calm classical clean country crisp dark deep delicate distorted disco driving
emotive energetic expressive fingered fingerpicked folk funk funky gentle groovy gritty haunting jazz jazzy latin
light lively lush melancholic mellow melodic metal picked plucked pop powerful pulsing punchy reggae resonant rich
rock sharp shimmering simple slap smooth soaring soft soulful steady strummed subtle swinging syncopated tight vintage
walking warm
"""


def clap_tokenizer() -> RobertaTokenizer:
    """A RoBERTa tokenizer of the 256 bytes, without merges."""
    from tokenizers import pre_tokenizers

    symbols = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "<mask>"]
    vocabulary = {symbol: index for index, symbol in enumerate(symbols)}
    return RobertaTokenizer(vocab=vocabulary, merges=[], model_max_length=2 * MAX_TOKENS)


def t5_tokenizer() -> T5Tokenizer:
    """A T5 tokenizer of the printable ASCII characters and of the words of music prompts.

    A unigram model takes the segmentation of highest total score: any word is cheaper than its characters.
    """
    characters = [c for c in string.printable if not c.isspace()]
    words = sorted({form for word in _WORDS.split() for form in (word, word.capitalize()) if len(form) > 1})
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), (_SPACE, -8.0)]
    pieces += [(start + character, -8.0) for start in ("", _SPACE) for character in characters]
    pieces += [(_SPACE + word, -6.0) for word in words]
    pieces += [(word, -7.0) for word in words]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=MAX_TOKENS)


def build_clap(seed: int, vocabulary: int) -> ClapModel:
    """A small CLAP. AudioLDM 2 conditions on its text features; the audio side only ranks waveforms."""
    text = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": 2 * MAX_TOKENS + 2,
        "projection_dim": CLAP_WIDTH,
    }
    audio = {
        "patch_embeds_hidden_size": 16,
        "hidden_size": 128,  # 16 · 2³, the width of the last of four stages
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 2, 4, 8],
        "projection_dim": CLAP_WIDTH,
    }
    config = ClapConfig(text_config=text, audio_config=audio, projection_dim=CLAP_WIDTH)
    return seeded(lambda: ClapModel(config), seed)


def feature_extractor() -> ClapFeatureExtractor:
    """CLAP's log-mel front end, with its published values."""
    return ClapFeatureExtractor(truncation="rand_trunc")


def build_t5(seed: int, vocabulary: int) -> T5EncoderModel:
    """A small T5 encoder."""
    config = T5Config(
        vocab_size=vocabulary,
        d_model=TEXT_WIDTH,
        d_kv=16,
        d_ff=128,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        use_cache=False,
    )
    t5 = seeded(lambda: T5EncoderModel(config), seed)
    for block in t5.encoder.block:  # T5 does not scale its logits, its queries start small instead
        block.layer[0].SelfAttention.q.weight.data.mul_(config.d_kv**-0.5)
    return t5


def build_projection(seed: int) -> AudioLDM2ProjectionModel:
    """Projects CLAP's and T5's states to the language model's width, between start and end tokens."""
    return seeded(
        lambda: AudioLDM2ProjectionModel(
            text_encoder_dim=CLAP_WIDTH, text_encoder_1_dim=TEXT_WIDTH, langauge_model_dim=LOA_WIDTH
        ),
        seed,
    )


def build_gpt2(seed: int) -> GPT2LMHeadModel:
    """A small GPT-2 that generates the eight language-of-audio tokens.

    With the LM head, which is not used: transformers 5 lets `GPT2Model` alone no longer generate.
    """
    config = GPT2Config(
        vocab_size=8,
        n_positions=MAX_TOKENS + 16,
        n_embd=LOA_WIDTH,
        n_layer=2,
        n_head=4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
        max_new_tokens=LOA_TOKENS,
    )
    return seeded(lambda: GPT2LMHeadModel(config), seed)
