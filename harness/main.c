/* Runs a model on every sample of input.bin and writes output.bin, report.txt and, in a build with RV_TRACE, trace.bin.
 *
 * input.bin   all inputs of sample 0, of sample 1, ... back to back; output.bin likewise
 * report.txt  "stack N": the deepest stack use of a run in bytes, hexadecimal
 * trace.bin   records { int32 layer, int32 bytes, data } in native byte order; layer -1 opens a sample
 *
 * harness_model.h is generated and says what the model is called and where its tensors lie. No library function is used
 * in the harness, so that whatever the linker takes from a library belongs to the model. */
#include "harness_model.h"
#include "port.h"

#if __STDC_HOSTED__ == 0
/* A section of its own: the linker script counts the arena as the model's memory, not as the harness's. On a host it
 * would only keep the address sanitizer from guarding the arena. */
#define MODEL_MEMORY __attribute__((section(".bss.rv_arena")))
#else
#define MODEL_MEMORY
#endif

#define NOINLINE __attribute__((noinline))

typedef struct {
  uint32_t offset; /* of the tensor's first byte in the arena, or in the frame */
  uint32_t bytes;
} slot;

#define SLOT(offset, bytes) {(offset), (bytes)},
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
static const slot inputs[] = {HARNESS_INPUTS(SLOT)};
static const slot outputs[] = {HARNESS_OUTPUTS(SLOT)};

MODEL_MEMORY static HARNESS_ARENA arena;

/* Where inputs lie: in the arena, or in the application's memory when the model takes it by rows or frames. */
#ifdef HARNESS_FRAME
static union {
  float align;
  uint8_t bytes[HARNESS_FRAME];
} frame;
#define INPUT_BASE (frame.bytes)
#else
#define INPUT_BASE ((uint8_t *)arena.bytes)
#endif
#define OUTPUT_BASE ((const uint8_t *)arena.bytes)

static uint32_t deepest_stack;

/* The profiler counts the instructions between the entries of these two. The empty asm keeps the calls alive. */
NOINLINE void rv_mark_begin(void) { __asm__ volatile("" ::: "memory"); }
NOINLINE void rv_mark_end(void) { __asm__ volatile("" ::: "memory"); }

/* Out of line, so that what the call itself needs on the stack is counted too. */
NOINLINE static int call_model(void) { return HARNESS_RUN((const void *)INPUT_BASE, &arena); }

#ifdef RV_TRACE
static intptr_t trace_file;

static void write_record(int32_t layer, const void *data, int32_t bytes) {
  const int32_t header[2] = {layer, bytes};
  port_write(trace_file, header, sizeof header);
  if (bytes > 0) port_write(trace_file, data, (uint32_t)bytes);
}

void rv_trace(int32_t layer, const void *data, int32_t bytes);
void rv_trace(int32_t layer, const void *data, int32_t bytes) { write_record(layer, data, bytes); }
#endif

/* Whatever an earlier sample left must not matter: every byte is dirty, and differently so for each sample. */
static void soil_arena(uint32_t sample) {
  for (uint32_t i = 0; i < sizeof arena; i++) ((uint8_t *)&arena)[i] = (uint8_t)(0xA5u + 29u * sample + 7u * i);
}

#ifdef HARNESS_BEGIN
/* Samples are frames of one stream: the arena is dirty before the first, and the model's from then on. */
static void prepare_arena(uint32_t sample) {
  if (sample > 0) return;
  soil_arena(sample);
  if (HARNESS_BEGIN(&arena) != 0) port_fail("the model's begin function did not return 0");
}
#else
static void prepare_arena(uint32_t sample) { soil_arena(sample); }
#endif

/* False at the end of the file; a sample cut short is a failure. */
static int read_inputs(intptr_t file) {
  for (uint32_t i = 0; i < COUNT(inputs); i++) {
    const uint32_t got = port_read(file, INPUT_BASE + inputs[i].offset, inputs[i].bytes);
    if (i == 0 && got == 0) return 0;
    if (got != inputs[i].bytes) port_fail("input.bin ends inside a sample");
  }
  return 1;
}

static void run_sample(void) {
  port_stack_paint();
  rv_mark_begin();
  const int status = call_model();
  rv_mark_end();
  const uint32_t used = port_stack_used();
  if (used > deepest_stack) deepest_stack = used;
  if (status != 0) port_fail("the model's run function did not return 0");
}

/* In hexadecimal, because a division would be a library function on a core without the instruction. */
static void write_report(void) {
  char text[] = "stack ........\n";
  for (uint32_t i = 0; i < 8; i++) text[6 + i] = "0123456789abcdef"[(deepest_stack >> (28 - 4 * i)) & 15u];
  const intptr_t file = port_open("report.txt", PORT_WRITE);
  port_write(file, text, sizeof text - 1);
  port_close(file);
}

int main(void) {
  const intptr_t input = port_open("input.bin", PORT_READ);
  const intptr_t output = port_open("output.bin", PORT_WRITE);
#ifdef RV_TRACE
  trace_file = port_open("trace.bin", PORT_WRITE);
#endif
  for (uint32_t sample = 0;; sample++) {
    prepare_arena(sample);
    if (!read_inputs(input)) break;
#ifdef RV_TRACE
    write_record(-1, 0, 0);
#endif
    run_sample();
    for (uint32_t i = 0; i < COUNT(outputs); i++)
      port_write(output, OUTPUT_BASE + outputs[i].offset, outputs[i].bytes);
  }
  write_report();
#ifdef RV_TRACE
  port_close(trace_file);
#endif
  port_close(output);
  port_close(input);
  port_exit();
}
