/* QEMU TCG plugin (plugin API version 1, QEMU 6 to 8): counts the instructions of each run of a model, exactly, and
 * splits them by layer.
 *
 * Arguments:
 *   watch=FILE  lines "ADDRESS BUCKET" (hexadecimal, decimal): a function's entry and what it opens, a layer (0 and
 *               up), the start of a run (-1) or its end (-2)
 *   buckets=N   the number of layers
 *   out=FILE    for each run a line "TOTAL BEFORE LAYER_0 ... LAYER_N-1"; BEFORE is what runs ahead of the first layer
 *
 * How: every translation block adds its length to one counter as it starts (a block runs to its end unless the
 * processor faults), and one that starts at a watched address first settles the account of what ran until then. A
 * function's entry is reached by a branch, hence always starts a block. A predicated instruction counts whether or not
 * its condition holds. The prototypes are written out because QEMU's header is not packaged everywhere. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                                  void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int operation, void *counter,
                                                     uint64_t amount);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*callback)(unsigned, void *), int flags,
                                                 void *data);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *), void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0, QEMU_PLUGIN_CB_NO_REGS = 0 };

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

enum { RUN_BEGINS = -1, RUN_ENDS = -2 };

typedef struct {
  uint64_t address;
  int bucket;
} watch;

static watch *watches;
static size_t watch_count;
static int layers;
static FILE *report;

static uint64_t executed; /* instructions since the machine started */
static uint64_t settled;  /* as much of them as is accounted for */
static uint64_t *account; /* [0] before the first layer, [1 + layer] */
static int current;
static int counting;

static void settle(void) {
  account[current] += executed - settled;
  settled = executed;
}

static void write_run(void) {
  uint64_t total = 0;
  for (int i = 0; i <= layers; i++) total += account[i];
  fprintf(report, "%" PRIu64, total);
  for (int i = 0; i <= layers; i++) fprintf(report, " %" PRIu64, account[i]);
  fputc('\n', report);
}

static void on_watched_entry(unsigned vcpu, void *data) {
  (void)vcpu;
  const int bucket = ((const watch *)data)->bucket;
  if (bucket == RUN_BEGINS) {
    memset(account, 0, sizeof *account * (size_t)(layers + 1));
    settled = executed;
    current = 0;
    counting = 1;
  } else if (counting) {
    settle();
    current = bucket + 1;
    if (bucket == RUN_ENDS) {
      counting = 0;
      write_run();
    }
  }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  const uint64_t address = qemu_plugin_tb_vaddr(block);
  for (size_t i = 0; i < watch_count; i++)
    if (watches[i].address == address)
      qemu_plugin_register_vcpu_tb_exec_cb(block, on_watched_entry, QEMU_PLUGIN_CB_NO_REGS, &watches[i]);
  const uint64_t instructions = qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &executed, instructions);
}

static void on_machine_exit(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  fclose(report);
}

static int read_watches(const char *path) {
  FILE *const file = fopen(path, "r");
  if (file == NULL) return 0;
  watch next;
  while (fscanf(file, "%" SCNx64 " %d", &next.address, &next.bucket) == 2) {
    watch *const grown = realloc(watches, sizeof *watches * (watch_count + 1));
    if (grown == NULL || next.bucket < RUN_ENDS || next.bucket >= layers) return 0;
    watches = grown;
    watches[watch_count++] = next;
  }
  fclose(file);
  return 1;
}

static const char *argument(int argc, char **argv, const char *name) {
  const size_t length = strlen(name);
  for (int i = 0; i < argc; i++)
    if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') return argv[i] + length + 1;
  return "";
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
  (void)info;
  layers = atoi(argument(argc, argv, "buckets"));
  account = calloc((size_t)layers + 1, sizeof *account);
  report = fopen(argument(argc, argv, "out"), "w");
  if (account == NULL || report == NULL || !read_watches(argument(argc, argv, "watch"))) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_machine_exit, NULL);
  return 0;
}
