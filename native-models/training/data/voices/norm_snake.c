/* Instance normalisation and the snake activation in two passes over bfloat16 frames laid out [frames][channels].
   PyTorch's own operators take seven, and memory is what they wait for. Sums and the activation are in float32. */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MOST_CHANNELS = 512, BLOCK = 256 };

static inline float widened(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t rounded(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* out = y + sin²(alpha·y)/alpha, where y = gain·(x - mean)/√(variance + 1e-5) + shift, each channel by itself.
   Frames from `valid` on are neither read nor counted; there out is 0, as a convolution's padding is.
   Returns 0, or 1 where there are more channels than it has room for. */
int norm_snake(const uint16_t *restrict x, uint16_t *restrict out, long frames, long valid, long channels,
               const float *restrict gain, const float *restrict shift, const float *restrict alpha) {
    double sums[MOST_CHANNELS] = {0}, squares[MOST_CHANNELS] = {0};
    float scale[MOST_CHANNELS], offset[MOST_CHANNELS], turns[MOST_CHANNELS], phase[MOST_CHANNELS], half[MOST_CHANNELS];
    if (channels > MOST_CHANNELS) return 1;
    for (long start = 0; start < valid; start += BLOCK) {
        float sum[MOST_CHANNELS] = {0}, square[MOST_CHANNELS] = {0};
        long end = start + BLOCK < valid ? start + BLOCK : valid;
        for (long t = start; t < end; t++)
            for (long c = 0; c < channels; c++) {
                float value = widened(x[t * channels + c]);
                sum[c] += value;
                square[c] += value * value;
            }
        for (long c = 0; c < channels; c++) sums[c] += sum[c], squares[c] += square[c];
    }
    for (long c = 0; c < channels; c++) {
        double mean = sums[c] / valid, variance = fmax(squares[c] / valid - mean * mean, 0);
        double factor = gain[c] / sqrt(variance + 1e-5), constant = shift[c] - mean * factor;
        /* sin² θ = (1 - cos 2θ)/2: the cosine's angle is counted in whole turns, so that rounding reduces it. */
        half[c] = 0.5 / alpha[c];
        turns[c] = factor * alpha[c] / M_PI;
        phase[c] = constant * alpha[c] / M_PI;
        scale[c] = factor;
        offset[c] = constant + half[c];
    }
    for (long t = 0; t < valid; t++)
        for (long c = 0; c < channels; c++) {
            float value = widened(x[t * channels + c]), turn = value * turns[c] + phase[c];
            turn -= rintf(turn);
            float q = turn * turn;
            /* cos 2πt for |t| ≤ ½ as a polynomial of t² through Chebyshev's nodes: within 1e-6. */
            float cosine = 0.9999992f + q * (-19.7389782f + q * (64.9285878f + q * (-85.2708436f +
                           q * (58.7869408f + q * -21.0654294f))));
            out[t * channels + c] = rounded(value * scale[c] + offset[c] - half[c] * cosine);
        }
    memset(out + valid * channels, 0, (size_t)((frames - valid) * channels) * sizeof *out);
    return 0;
}
