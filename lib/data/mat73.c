/* What passes through the pipe, in the machine's own byte order: for each variable a Record, its name, its values; the
 * parts of structures and cells follow their whole, depth first. A Record END comes last: without it the child died.
 */
#include "mat73.h"

#include <errno.h>
#include <fcntl.h>
#include <matio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "inflate.h"

#if defined __SANITIZE_ADDRESS__
#define HAS_SHADOW 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SHADOW 1
#endif
#endif

uint32_t qc_mat73_seconds;

typedef enum RecordKind { VARIABLE = 0x7a1, END } RecordKind; /* bytes that a file hardly has by chance */

typedef struct Record {
    uint64_t bytes; /* of values */
    uint64_t shape[QC_RANK_MAX];
    uint32_t kind, rank, level, inside, class, is_complex;
    uint32_t item;    /* bytes of a letter; numbers have the item of their class */
    uint32_t letters; /* of the name */
} Record;

/* --- numbers of each class ------------------------------------------------------------------------------------ */

static const struct {
    char kind;
    uint8_t item;
} types[QC_MAT_CLASS_U64 + 1] = {[6] = {'f', 8},  [7] = {'f', 4},  [8] = {'i', 1},  [9] = {'u', 1},  [10] = {'i', 2},
                                 [11] = {'u', 2}, [12] = {'i', 4}, [13] = {'u', 4}, [14] = {'i', 8}, [15] = {'u', 8}};

/* --- the child ------------------------------------------------------------------------------------------------ */

typedef struct Sender {
    mat_t *file;
    FILE *to;
} Sender;

static int has_failed; /* libmatio or the HDF5 library has reported an error */

/* libmatio takes an error of a variable for the end of the file: only its log tells them apart. */
static void note_log(int level, char *message)
{
    (void)message;
    if (level == (MATIO_LOG_LEVEL_ERROR) || level == (MATIO_LOG_LEVEL_CRITICAL)) has_failed = 1;
}

/* The product of the sizes; 0: it is too large, or there are none. */
static int count_values(uint64_t *count, const matvar_t *v)
{
    *count = 1;
    if (v->rank < 0 || (v->rank && !v->dims)) return 0;
    for (int k = 0; k < v->rank; k++)
        if (__builtin_mul_overflow(*count, (uint64_t)v->dims[k], count)) return 0;
    return 1;
}

static void send_record(const Sender *s, const Record *r, const char *name)
{
    if (fwrite(r, sizeof *r, 1, s->to) != 1 || fwrite(name, 1, r->letters, s->to) != r->letters) _exit(1);
}

static int send_variable(const Sender *s, matvar_t *v, const char *name, uint32_t level);

static int send_parts(const Sender *s, matvar_t *v, const char *name, uint32_t level, uint64_t n, uint32_t fields)
{
    matvar_t *const *parts = v->data;
    char *const *names = fields ? Mat_VarGetStructFieldnames(v) : NULL;
    char inner[QC_MAT_NAME_ROOM];
    if (!parts || v->nbytes / sizeof *parts != n || (fields && !names)) return -1;
    for (uint64_t k = 0; k < n; k++) {
        const char *field = fields ? names[k % fields] : NULL;
        if (!parts[k] || (fields && !field)) return -1;
        if (fields) qc_mat_name_field(inner, name, k / fields, n / fields, field, strlen(field));
        else qc_mat_name_cell(inner, name, k);
        if (send_variable(s, parts[k], inner, level + 1)) return -1;
    }
    return 0;
}

/* The record goes first: the parent refuses values that are too many before memory is taken for them. */
static int send_values(const Sender *s, matvar_t *v, uint64_t bytes)
{
    if (!bytes) return 0;
    if (fflush(s->to) || Mat_VarReadDataAll(s->file, v) || has_failed || !v->data || v->isComplex ||
        v->nbytes != bytes || fwrite(v->data, 1, bytes, s->to) != bytes)
        return -1;
    free(v->data);
    v->data = NULL;
    return 0;
}

static int send_variable(const Sender *s, matvar_t *v, const char *name, uint32_t level)
{
    QcMatVariable about = {0};
    uint64_t count, inside = 0;
    Record r = {.kind = VARIABLE, .level = level, .class = (uint32_t)v->class_type, .is_complex = v->isComplex != 0,
                .rank = (uint32_t)v->rank, .letters = (uint32_t)strlen(name)};
    if (!count_values(&count, v)) return -1;
    for (int k = 0; k < v->rank && k < QC_RANK_MAX; k++) r.shape[k] = v->dims[k];
    for (; r.rank < 2; r.rank++) r.shape[r.rank] = 1; /* not from MATLAB, which has no vectors */
    if (!v->rank) r.shape[0] = 0;
    qc_mat_classify(&about, r.class, v->isComplex != 0);
    uint32_t fields = about.kind == QC_MAT_STRUCTURE ? Mat_VarGetNumberOfFields(v) : 0;
    if (about.kind == QC_MAT_CELLS) inside = count;
    if (about.kind == QC_MAT_STRUCTURE && __builtin_mul_overflow(count, (uint64_t)fields, &inside)) return -1;
    if (about.kind == QC_MAT_TEXT) r.item = (uint32_t)Mat_SizeOf(v->data_type);
    if (about.kind == QC_MAT_NUMBERS) r.item = types[r.class].item;
    if (inside > INT32_MAX || __builtin_mul_overflow(count, (uint64_t)r.item, &r.bytes)) return -1;
    r.inside = (uint32_t)inside;
    send_record(s, &r, name);
    if (level > QC_MAT_LEVELS_MAX) return fflush(s->to), -1; /* the parent has a sentence for that */
    return inside ? send_parts(s, v, name, level, inside, fields) : send_values(s, v, r.bytes);
}

/* Of the memory that is taken now, and may be taken by one variable, its chunk of the file and the library. */
static void limit_memory(uint64_t length)
{
#ifndef HAS_SHADOW /* a sanitizer takes terabytes of addresses */
    unsigned long long pages = 0;
    FILE *about = fopen("/proc/self/statm", "r");
    if (!about || fscanf(about, "%llu", &pages) != 1) pages = 0;
    if (about) fclose(about);
    uint64_t most = 2 * qc_inflate_limit(length) + length + ((uint64_t)256 << 20);
    most += pages * (uint64_t)sysconf(_SC_PAGESIZE);
    if (pages && most < (uint64_t)1 << 46) setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)most, (rlim_t)most});
#else
    (void)length;
#endif
}

static void send_file(const QcMat *mat, int to)
{
    Sender s = {.to = fdopen(to, "wb")};
    if (!s.to || Mat_LogInitFunc("qcore", note_log)) return;
    limit_memory(mat->view.length);
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1); /* a file on a file system that has no locks can be read, too */
    s.file = Mat_Open(mat->path, MAT_ACC_RDONLY);
    /* From here on nothing else is opened: HDF5 has links to other files. The limit does without the filter, too. */
    if (!s.file || setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0})) return;
    (void)qc_confine();
    for (matvar_t *v; !has_failed && (v = Mat_VarReadNextInfo(s.file));) {
        if (!v->name || has_failed || send_variable(&s, v, v->name, 0)) return;
        Mat_VarFree(v);
    }
    if (has_failed) return;
    send_record(&s, &(Record){.kind = END}, "");
    fflush(s.to);
}

/* Handlers of the program are for the parent, which has files to remove. A signal that is ignored stays ignored. */
static void reset_signals(const sigset_t *mask)
{
    struct sigaction old;
    for (int k = 1; k < NSIG; k++)
        if (!sigaction(k, NULL, &old) && old.sa_handler != SIG_IGN) signal(k, SIG_DFL);
    signal(SIGPIPE, SIG_DFL); /* the parent has refused the file */
    sigprocmask(SIG_SETMASK, mask, NULL);
}

static void enter_child(pid_t parent, uint64_t length, const sigset_t *mask)
{
    rlim_t objects = length >> 15, seconds = 20 + (objects < 100 ? objects : 100) + (length >> 22);
    if (qc_mat73_seconds) seconds = qc_mat73_seconds;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int k = 0; k < 3; k++) /* no library prints */
        if (nowhere < 0 || dup2(nowhere, k) < 0) _exit(1);
    reset_signals(mask);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0}); /* a pipe has no size */
}

/* --- the parent ----------------------------------------------------------------------------------------------- */

typedef struct Receiver {
    QcMat *mat;
    int from;
    uint64_t bytes; /* of values so far */
    uint32_t depth; /* the level that comes next */
    uint32_t left[QC_MAT_LEVELS_MAX + 1]; /* [depth] parts that the variable of each level still has */
} Receiver;

static int fail(const Receiver *l, QcErr *err)
{
    return qc_mat_fail(l->mat, err,
                       "the HDF5 library could not read this file of MATLAB 7.3: load it in MATLAB and save it with "
                       "save('NAME.mat', '-v7')");
}

static int receive_bytes(const Receiver *l, void *to, uint64_t n, QcErr *err)
{
    for (uint8_t *at = to; n;) {
        ssize_t got = read(l->from, at, n < 1 << 30 ? (size_t)n : 1 << 30);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail(l, err);
        at += got;
        n -= (uint64_t)got;
    }
    return 0;
}

static int receive_values(const Receiver *l, QcMatVariable *v, const Record *r, QcErr *err)
{
    QcNdarray *a = &v->a;
    uint64_t bytes;
    a->kind = 'f', a->item = 8;
    if (v->kind == QC_MAT_TEXT && r->item != 1 && r->item != 2 && r->item != 4) return fail(l, err);
    if (v->kind == QC_MAT_TEXT) a->kind = 'u', a->item = r->item;
    if (v->kind == QC_MAT_NUMBERS) a->kind = types[r->class].kind, a->item = types[r->class].item;
    a->swapped = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (__builtin_mul_overflow(a->count, (uint64_t)a->item, &bytes) || bytes != r->bytes || bytes > SIZE_MAX)
        return fail(l, err);
    uint8_t *values = malloc(bytes ? (size_t)bytes : 1);
    if (!values) return qc_fail_memory(err, "a variable");
    if (qc_arena_adopt(&l->mat->arena, values, err) || receive_bytes(l, values, bytes, err)) return -1;
    a->data = values;
    return 0;
}

/* A variable is at the level that the parts before it leave open. */
static int enter_level(Receiver *l, const Record *r, QcErr *err)
{
    while (l->depth && !l->left[l->depth - 1]) l->depth--;
    if (r->level != l->depth) return fail(l, err);
    if (r->level > QC_MAT_LEVELS_MAX) return qc_mat_fail_levels(l->mat, err);
    if (l->depth) l->left[l->depth - 1]--;
    l->left[l->depth++] = r->inside;
    return 0;
}

static int receive_variable(Receiver *l, const Record *r, QcErr *err)
{
    char name[QC_MAT_NAME_ROOM];
    if (r->letters >= sizeof name) return qc_mat_fail(l->mat, err, "a variable has an invalid name");
    if (enter_level(l, r, err) || receive_bytes(l, name, r->letters, err)) return -1;
    name[r->letters] = 0;
    QcMatVariable *v = qc_mat_add(l->mat, name, r->level, err);
    if (!v) return -1;
    qc_mat_classify(v, r->class, r->is_complex != 0);
    v->inside = r->inside;
    if (qc_mat_set_shape(v, l->mat, r->shape, r->rank, err)) return -1;
    if (__builtin_add_overflow(l->bytes, r->bytes, &l->bytes)) return fail(l, err);
    if (qc_inflate_check(l->mat->path, l->mat->view.length, l->bytes, err)) return -1;
    int is_whole = v->kind == QC_MAT_CELLS || v->kind == QC_MAT_STRUCTURE;
    if (v->kind == QC_MAT_CELLS && r->inside != v->a.count) return fail(l, err);
    if (v->kind == QC_MAT_STRUCTURE && r->inside && (!v->a.count || r->inside % v->a.count)) return fail(l, err);
    if (!is_whole && r->inside) return fail(l, err);
    if (v->kind == QC_MAT_NUMBERS || v->kind == QC_MAT_TEXT) return receive_values(l, v, r, err);
    return r->bytes ? fail(l, err) : 0;
}

int qc_mat73_receive(QcMat *mat, int from, QcErr *err)
{
    Receiver l = {.mat = mat, .from = from};
    for (Record r;;) {
        if (receive_bytes(&l, &r, sizeof r, err)) return -1;
        if (r.kind == END) break;
        if (r.kind != VARIABLE) return fail(&l, err);
        if (receive_variable(&l, &r, err)) return -1;
    }
    while (l.depth && !l.left[l.depth - 1]) l.depth--;
    if (l.depth) return fail(&l, err);
    return mat->n ? 0 : qc_mat_fail(mat, err, "has no variables");
}

int qc_mat73_run(QcMat *mat, QcMat73Child *work, QcErr *err)
{
    int ends[2];
    sigset_t all, mask;
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC)) return qc_fail(err, QC_EFAIL, "no pipe to read %.300s", mat->path);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask); /* no handler of the parent runs in the child */
    pid_t child = fork();
    if (!child) {
        int to = fcntl(ends[1], F_DUPFD_CLOEXEC, 3); /* above the standard streams */
        enter_child(parent, mat->view.length, &mask);
        if (close(ends[0]) || close(ends[1]) || to < 0) _exit(1);
        work(mat, to);
        _exit(0);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    close(ends[1]);
    int status = child < 0 ? qc_fail(err, QC_EFAIL, "no process to read %.300s", mat->path)
                           : qc_mat73_receive(mat, ends[0], err);
    close(ends[0]);
    if (child > 0) {
        kill(child, SIGKILL); /* it has sent all, or is not wanted any more */
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    return status;
}

/* Without an attribute MATLAB_fields, which MATLAB writes, libmatio takes the first field of a structure for all. So
 * the file must have the name of this attribute once for each structure. */
static int check_fields(const QcMat *mat, QcErr *err)
{
    static const char attribute[] = "MATLAB_fields";
    const uint8_t *at = mat->view.bytes, *end = at + mat->view.length;
    uint32_t structures = 0;
    for (uint32_t k = 0; k < mat->n; k++)
        structures += mat->variables[k].kind == QC_MAT_STRUCTURE && mat->variables[k].inside;
    for (; structures; structures--, at += sizeof attribute)
        if (!(at = memmem(at, (size_t)(end - at), attribute, sizeof attribute)))
            return qc_mat_fail(mat, err,
                               "is a file of MATLAB 7.3 with a structure that does not name its fields: save it with "
                               "save('NAME.mat', '-v7')");
    return 0;
}

int qc_mat73_read(QcMat *mat, QcErr *err)
{
    return qc_mat73_run(mat, send_file, err) || check_fields(mat, err) ? -1 : 0;
}
