/* faults.h: historic defects, one at a time, for a program that is never
 * installed.
 *
 * A fault is what a port of Moshi has done wrong once. Nothing of it is in
 * moshi or its library: moshi-faulty is linked from the same objects with the
 * linker's --wrap, and the functions here stand between rooms of src/. They
 * edit a plan that has been built, a stream's state, the tables that go from
 * one part to the next, or the samples of a file; the model code that runs is
 * the one that ships. MOSHI_FAULT=NAME chooses one, in `compare` fault=NAME.
 *
 * FAULTS is the one table. For each: what doctor and its friends should call
 * it, and the name that `diff` must give the first operation that is wrong
 * ("" for what is not inside the model: there compare sees no operation). Both
 * were written down before any instrument was run. */
#ifndef MOSHI_TESTS_FAULTS_H
#define MOSHI_TESTS_FAULTS_H

#include <stdbool.h>

#define ROPE "transformer.rope"
#define LAYER_0 "transformer.layers.0"
#define SPOKEN "mimi.decoder.codes"

/* X(NAME, text, class, where it acts, first wrong operation, the defect) */
#define FAULTS(X) \
    X(BOOKS_SWAPPED, "books-swapped", "timeline", "timeline", SPOKEN, \
      "two codebooks are exchanged before they are decoded") \
    X(CODES_TRANSPOSED, "codes-transposed", "timeline", "codes", "", \
      "the table of codes is read frames by codebooks instead of codebooks by frames") \
    X(DELAY_1_2, "delay-1-2", "timeline", "config in force", SPOKEN, \
      "an acoustic delay of 2 on a model trained with 1, as the official Rust gen") \
    X(DELAY_1_3, "delay-1-3", "timeline", "config in force", SPOKEN, \
      "an acoustic delay of 3 on a model trained with 1") \
    X(DELAY_1_0, "delay-1-0", "timeline", "config in force", SPOKEN, \
      "a delay one step too short (2 to 1 on Hibiki; here 1 to 0)") \
    X(DEPFORMER_WEIGHTS, "depformer-weights", "model code", "plan", "depformer.1.linear_in", \
      "the depformer's step k+1 computes with the weights of step k") \
    X(CACHE_NOT_EMPTY, "cache-not-empty", "model code", "state", ROPE, \
      "a conversation begins at position 8, with keys and values of another one") \
    X(CACHE_SHARED, "cache-shared", "model code", "state", LAYER_0 ".self_attn.attention", \
      "two conversations share one key/value cache") \
    X(RING_OFF_BY_ONE, "ring-off-by-one", "model code", "plan", LAYER_0 ".self_attn.attention", \
      "the ring of keys has one slot too few") \
    X(RESET_EVERY_FRAME, "reset-every-frame", "model code", "state", ROPE, \
      "the language model's stream is reset before every frame") \
    X(CODEC_RESET_EVERY_FRAME, "codec-reset-every-frame", "codec", "state", \
      "encoder.model.0.window", "the codec's streams are reset before every frame") \
    X(NO_RESET, "no-reset", "model code", "state", ROPE, \
      "a reset does nothing: the next conversation goes on where the last one ended") \
    X(ENCODER_STREAM, "encoder-stream", "codec", "state", "upsample", \
      "the encoder's stream is used for decoding too") \
    X(ROPE_BASE, "rope-base", "model code", "plan", ROPE, \
      "rotary base 100 000 instead of 10 000") \
    X(CODEC_ROPE_BASE, "codec-rope-base", "codec", "plan", \
      "encoder_transformer.transformer.rope", \
      "the same in the codec's transformers") \
    X(ROPE_HALF_SPLIT, "rope-half-split", "model code", "plan", LAYER_0 ".self_attn.rope", \
      "rotary pairs are halves of a head instead of neighbours") \
    X(ROPE_OFF, "rope-off", "model code", "plan", LAYER_0 ".self_attn.rope", \
      "no rotary positions at all") \
    X(SIDES_EXCHANGED, "sides-exchanged", "timeline", "timeline", "lm.tokens", \
      "own and user codebooks change places in what a step reads") \
    X(USER_ZERO, "user-zero", "input", "conversation", "lm.tokens", \
      "the model hears code 0 in every codebook, as a test once fed it") \
    X(FORCED_TEXT, "forced-text", "sampling", "conversation", "text_linear.sample", \
      "one text token is forced on every frame") \
    X(FRAMES_REVERSED, "frames-reversed", "timeline", "sound out", "", \
      "the samples of each frame are written backwards") \
    X(FRAMES_DROPPED, "frames-dropped", "timeline", "sound out", "", \
      "every fourth frame of the answer is lost") \
    X(FRAMES_DOUBLED, "frames-doubled", "timeline", "sound out", "", \
      "every fourth frame of the answer is written twice") \
    X(FRAMES_SWAPPED, "frames-swapped", "timeline", "sound out", "", \
      "neighbouring frames of the answer change places") \
    X(RESAMPLER_RATIO, "resampler-ratio", "input", "sound in", "", \
      "a recording of 48 kHz is resampled as if it had 44.1 kHz") \
    X(BYTE_ORDER, "byte-order", "input", "sound in", "", \
      "16-bit samples are read with their bytes exchanged") \
    X(NAN_LAYER, "nan-layer", "model code", "plan", "transformer.layers.3.norm2", \
      "one NaN in one layer, made by the code") \
    X(NAN_FILE, "nan-file", "file", "file", "depformer.3.linear_out", \
      "one infinite scale in the file") \
    X(BIT_FLIPPED, "bit-flipped", "file", "file", "", \
      "one bit of the language model's file is flipped") \
    X(TRUNCATED, "truncated", "file", "file", "", \
      "the last part of the language model's file is missing") \
    X(ROW_SCALE, "row-scale", "file", "file", "transformer.layers.2.gating.linear_in", \
      "the quantisation scale of one row is 64 times too large") \
    X(WRONG_CONFIG, "wrong-config", "config", "config", "", \
      "the config of another model: 48 001 text tokens, 2 048 wide") \
    X(GELU_TANH, "gelu-tanh", "codec", "plan", \
      "encoder_transformer.transformer.layers.0.activation", \
      "GELU by its tanh approximation instead of erf") \
    X(ZERO_PADDING, "zero-padding", "codec", "plan", "downsample.window", \
      "the downsampling begins with zeros instead of its first frame repeated") \
    X(TEMPERATURE_10, "temperature-10", "sampling", "options", "", \
      "tokens are drawn at temperature 10") \
    X(SLOW, "slow", "speed", "run", "", \
      "a frame takes 200 ms longer")

typedef enum fault {
    FAULT_NONE,
#define FAULT_ENUM(name, text, about, where, op, defect) FAULT_##name,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
    FAULT_COUNT
} fault;

typedef struct fault_row {
    const char *name, *about, *where, *op, *defect;
} fault_row;

/* The row of a fault; of FAULT_NONE, all is "". */
const fault_row *fault_at(fault f);
/* FAULT_COUNT: there is none of that name. */
fault fault_find(const char *name);

/* The one in force: that of MOSHI_FAULT until one is set. */
bool fault_is(fault f);
void fault_set(fault f);

#endif
