/* diff_report.c: a comparison as text or as JSON. */
#include "cli/diff_report.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/json_out.h"
#include "files/text.h"
#include "files/value.h"

/* --- settings that differ --- */

/* The part of "files" called `part`. */
static const value *file_part(const value *files, const char *part)
{
    const char *name;
    for (size_t i = 0; i < value_count(files); i++)
        if (value_string(value_get(value_at(files, i), "part"), &name) &&
            strcmp(name, part) == 0)
            return value_at(files, i);
    return NULL;
}

static bool same_text(const value *a, const value *b)
{
    const char *x = "", *y = "";
    value_string(a, &x);
    value_string(b, &y);
    return strcmp(x, y) == 0;
}

/* Files are the same when their hashes are, whatever their names. */
static bool same_item(const value *a, const value *b)
{
    if (value_type(a) == VALUE_OBJECT && value_get(a, "part"))
        return b && same_text(value_get(a, "sha256"), value_get(b, "sha256"));
    char *x = value_to_json(a), *y = value_to_json(b);
    bool same = x && y && strcmp(x, y) == 0;
    memory_free(x);
    memory_free(y);
    return same;
}

static void add_word(char *list, size_t room, const char *word)
{
    size_t n = strlen(list);
    snprintf(list + n, room - n, "%s%s", n ? ", " : "", word);
}

/* What differs between two JSON texts: keys of objects, parts of files. False
 * if a text is not JSON, or nothing does. */
static bool differing_keys(const diff_note *note, char *list, size_t room)
{
    moshi_error ignored;
    value *a = NULL, *b = NULL;
    list[0] = 0;
    if (*note->a != '{' && *note->a != '[')
        return false;
    if (value_parse_json(&a, note->a, strlen(note->a), "a", &ignored) ==
            MOSHI_OK &&
        value_parse_json(&b, note->b, strlen(note->b), "b", &ignored) ==
            MOSHI_OK)
        for (size_t i = 0; i < value_count(a); i++) {
            const value *item = value_at(a, i);
            const char *key = value_key(a, i);
            if (!key && !value_string(value_get(item, "part"), &key))
                continue;
            if (!same_item(item, value_key(a, i) ? value_get(b, key)
                                                 : file_part(b, key)))
                add_word(list, room, key);
        }
    value_close(&a);
    value_close(&b);
    return true;
}

/* The index-th setting that differs, in words that fit a line. */
static bool setting(const diff *d, size_t *index, diff_note *note, char *list,
                    size_t room)
{
    while (diff_note_at(d, (*index)++, note)) {
        if (!differing_keys(note, list, room))
            return true;
        if (list[0]) {
            note->a = list;
            note->b = NULL;
            return true;
        }
    }
    return false;
}

/* The texts are a stranger's: nothing of them moves the cursor. */
static void print_setting(const diff_note *note)
{
    char a[256], b[256];
    text_printable(a, sizeof a, *note->a ? note->a : "-");
    if (!note->b) {
        printf("  %-12s %s\n", note->key, a);
        return;
    }
    text_printable(b, sizeof b, *note->b ? note->b : "-");
    printf("  %-12s %s | %s\n", note->key, a, b);
}

static void print_settings(const diff *d)
{
    diff_note note;
    char list[512];
    size_t index = 0;
    bool any = false;
    while (setting(d, &index, &note, list, sizeof list)) {
        printf("%s", any ? "" : "what differs by the manifests:\n");
        any = true;
        print_setting(&note);
    }
}

/* --- the table of layers --- */

/* Length of the part of a name that is its layer: up to ".layers.3",
 * "depformer.3" or "model.3", else up to the first dot. */
static size_t layer_length(const char *name)
{
    static const char *const markers[] = {".layers.", "depformer.", ".model."};
    const char *at = strncmp(name, "depformer.", 10) == 0 ? name : NULL;
    size_t n = at ? 10 : 0;
    for (size_t i = 0; i < sizeof markers / sizeof *markers && !at; i++)
        if ((at = strstr(name, markers[i])))
            n = (size_t)(at - name) + strlen(markers[i]);
    if (!at || !isdigit((unsigned char)name[n]))
        return strcspn(name, ".");
    while (isdigit((unsigned char)name[n]))
        n++;
    return n;
}

static void print_cell(double e)
{
    if (e == 0)
        printf(" %8s", ".");
    else
        printf(" %8.1e", e);
}

/* Operations from … to - 1 are one layer. */
static void print_layer(const diff *d, size_t from, size_t to, size_t n)
{
    const diff_op *worst = &d->ops[from];
    for (size_t i = from; i < to; i++)
        if (d->ops[i].max_error > worst->max_error)
            worst = &d->ops[i];
    printf("%-42.*s", (int)n, worst->name);
    print_cell(worst->max_error);
    printf(" |");
    for (size_t c = 0; c < DIFF_COLUMNS && c < d->frames; c++) {
        double e = 0;
        for (size_t i = from; i < to; i++)
            e = fmax(e, d->ops[i].columns[c]);
        print_cell(e);
    }
    printf("\n");
}

/* Column c of the table holds the frames whose index is i with
 * i * columns / frames = c. */
static void print_heads(const diff *d)
{
    printf("\n%-42s %8s | in %d groups of frames, %" PRId64 " to %" PRId64
           "\n", "layer", "error", DIFF_COLUMNS, d->frame_first,
           d->frame_last);
}

static void print_layers(const diff *d)
{
    print_heads(d);
    for (size_t i = 0, from = 0; i < d->n_ops; i++) {
        const char *name = d->ops[from].name;
        size_t n = layer_length(name);
        bool last = i + 1 == d->n_ops;
        if (last || layer_length(d->ops[i + 1].name) != n ||
            strncmp(d->ops[i + 1].name, name, n) != 0) {
            print_layer(d, from, i + 1, n);
            from = i + 1;
        }
    }
}

/* --- tokens --- */

static const char *token_words(const diff_token *t, char *text, size_t room)
{
    size_t codebook = t->row;
    if (t->table == TRACE_TEXT_TOKENS ||
        (t->table == TRACE_LIKELIEST && t->row == 0))
        snprintf(text, room, "text");
    else if (t->table == TRACE_CODES_IN)
        snprintf(text, room, "heard codebook %zu", codebook);
    else
        snprintf(text, room, "own codebook %zu",
                 t->table == TRACE_LIKELIEST ? codebook - 1 : codebook);
    return text;
}

static void print_tokens(const diff *d)
{
    const diff_tokens *t = &d->tokens;
    const diff_token *f = &t->first;
    char words[64];
    if (t->compared == 0)
        return;
    printf("tokens: %zu compared, %zu different%s\n", t->compared,
           t->different,
           t->forced ? " (given tokens: the likeliest are compared)" : "");
    if (t->different) {
        printf("  the first in frame %" PRId64 ", %s: %" PRId64 " and %" PRId64,
               f->frame, token_words(f, words, sizeof words), f->a, f->b);
        if (!isnan(f->margin_a) && !isnan(f->margin_b))
            printf("; chosen by %.2e and %.2e", (double)f->margin_a,
                   (double)f->margin_b);
        printf("\n");
    }
    if (!isnan(t->margin_min))
        printf("  the closest choice was made by %.2e\n", t->margin_min);
}

/* --- for people --- */

static void print_not_finite(const diff *d)
{
    for (size_t i = 0; i < d->n_ops; i++) {
        const diff_op *op = &d->ops[i];
        if (op->not_finite_a == 0 && op->not_finite_b == 0)
            continue;
        printf("numbers that are not finite begin in %s: %zu in A, %zu in B\n",
               op->name, op->not_finite_a, op->not_finite_b);
        return;
    }
}

static void print_first(const diff *d)
{
    const diff_op *op = d->first;
    if (!op)
        return;
    printf("first difference: %s, frame %" PRId64 ": ", op->name,
           op->first_frame);
    if (op->shapes_differ)
        printf("the shapes differ\n");
    else
        printf("error %.2e\n", d->first_error);
}

static void print_verdict(const diff *d)
{
    if (d->identical)
        printf("the runs are byte-identical: the change had no effect\n");
    else if (d->equal)
        printf("the runs agree within the tolerance\n");
    else
        printf("the runs differ\n");
}

static void print_text(const diff *d, const char *a, const char *b)
{
    printf("A %s\nB %s\n", a, b);
    printf("%zu operations compared in %zu frames, %" PRId64 " to %" PRId64
           "; tolerance %g of each one's peak (%s)\n", d->n_ops, d->frames,
           d->frame_first, d->frame_last, d->tolerance, d->tolerance_reason);
    if (d->only_a)
        printf("%zu operations are only in A, %s the first\n", d->only_a,
               d->only_a_name);
    if (d->only_b)
        printf("%zu operations are only in B, %s the first\n", d->only_b,
               d->only_b_name);
    print_settings(d);
    print_not_finite(d);
    print_first(d);
    print_tokens(d);
    if (!d->identical)
        print_layers(d);
    printf("\n");
    print_verdict(d);
}

/* --- for machines --- */

static void json_first(json_out *j, const diff *d)
{
    if (!d->first) {
        json_out_null(j, "first");
        return;
    }
    json_out_object(j, "first");
    json_out_text(j, "op", d->first->name);
    json_out_integer(j, "frame", d->first->first_frame);
    json_out_real(j, "error", d->first_error);
    json_out_bool(j, "shapes_differ", d->first->shapes_differ);
    json_out_end(j);
}

static void json_layers(json_out *j, const diff *d)
{
    json_out_array(j, "layers");
    for (size_t i = 0; i < d->n_ops; i++) {
        const diff_op *op = &d->ops[i];
        json_out_object(j, NULL);
        json_out_text(j, "op", op->name);
        json_out_real(j, "max_error", op->max_error);
        json_out_integer(j, "frame", op->frame);
        json_out_integer(j, "not_finite",
                         (int64_t)(op->not_finite_a + op->not_finite_b));
        json_out_end(j);
    }
    json_out_end(j);
}

static void json_tokens(json_out *j, const diff *d)
{
    const diff_tokens *t = &d->tokens;
    char words[64];
    json_out_object(j, "tokens");
    json_out_integer(j, "compared", (int64_t)t->compared);
    json_out_integer(j, "different", (int64_t)t->different);
    if (t->different)
        json_out_integer(j, "first_frame", t->first.frame);
    else
        json_out_null(j, "first_frame");
    json_out_bool(j, "forced", t->forced);
    if (t->different) {
        json_out_object(j, "first");
        json_out_text(j, "stream", token_words(&t->first, words,
                                               sizeof words));
        json_out_integer(j, "a", t->first.a);
        json_out_integer(j, "b", t->first.b);
        json_out_real(j, "margin_a", t->first.margin_a);
        json_out_real(j, "margin_b", t->first.margin_b);
        json_out_end(j);
    }
    json_out_real(j, "margin_min", t->margin_min);
    json_out_end(j);
}

static void json_settings(json_out *j, const diff *d)
{
    diff_note note;
    char list[512];
    size_t index = 0;
    json_out_array(j, "settings");
    while (setting(d, &index, &note, list, sizeof list)) {
        json_out_object(j, NULL);
        json_out_text(j, "name", note.key);
        json_out_text(j, note.b ? "a" : "differs_in", note.a);
        if (note.b)
            json_out_text(j, "b", note.b);
        json_out_end(j);
    }
    json_out_end(j);
}

static void print_json(const diff *d)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_bool(&j, "equal", d->equal);
    json_out_bool(&j, "identical", d->identical);
    json_out_real(&j, "tolerance", d->tolerance);
    json_out_text(&j, "tolerance_reason", d->tolerance_reason);
    json_first(&j, d);
    json_layers(&j, d);
    json_tokens(&j, d);
    json_out_integer(&j, "frames", (int64_t)d->frames);
    json_out_integer(&j, "only_a", (int64_t)d->only_a);
    json_out_integer(&j, "only_b", (int64_t)d->only_b);
    json_settings(&j, d);
    json_out_end(&j);
}

exit_status diff_report(const diff *d, const char *label_a,
                        const char *label_b, bool json)
{
    if (json)
        print_json(d);
    else
        print_text(d, label_a, label_b);
    return d->equal ? EXIT_STATUS_DONE : EXIT_STATUS_NO;
}
