/* analyze_html.c: the page: verdict, findings, pictures, measures.
 *
 * The pictures share one axis of time, two points a column of 10 ms: a
 * waveform and the grid as SVG, the spectrogram as a PNG inside it. */
#include "cli/analyze_html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "cli/png_out.h"

#define COLUMN     2   /* points */
#define WAVE_TOP   22  /* below the axis of time */
#define WAVE       110 /* points high */
#define SPECTRUM   (2 * PICTURE_ROWS)
#define GAP        10
#define BAR        160 /* of a measure, points wide */

static void put_escaped(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc(*text, f);
        }
}

static const char style[] =
    ":root{color-scheme:light dark;--ground:#fbfaf7;--ink:#22252a;"
    "--soft:#6b7178;--line:#dedbd2;--card:#fff;--wave:#2f6f8f;--bad:#c2371f;"
    "--good:#2c7a4b;--band:#d8e6dd}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#17191d;--ink:#e6e4de;"
    "--soft:#9aa0a8;--line:#33373d;--card:#1f2227;--wave:#7cc0dc;"
    "--bad:#ff8168;--good:#74c795;--band:#2b4436}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--ground);"
    "color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:32px 20px 60px}"
    "h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}"
    "h2{font-size:16px;margin:32px 0 10px}p{margin:4px 0}\n"
    ".soft{color:var(--soft)}.verdict{display:flex;gap:18px;"
    "align-items:center;margin:18px 0;padding:16px 20px;border-radius:10px;"
    "background:var(--card);border:1px solid var(--line)}"
    ".score{font-size:40px;font-weight:650;line-height:1;"
    "font-variant-numeric:tabular-nums}.bad{color:var(--bad)}"
    ".good{color:var(--good)}\n"
    ".strip{overflow-x:auto;margin-top:6px;background:var(--card);border:1px solid "
    "var(--line);border-radius:10px;padding:10px}svg{display:block}"
    "svg text{fill:var(--soft);font:11px system-ui,sans-serif}\n"
    "ul{padding-left:20px;margin:0}li{margin:6px 0}"
    ".table{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid "
    "var(--line);white-space:nowrap}td.number{text-align:right;"
    "font-variant-numeric:tabular-nums}th{font-weight:600;"
    "color:var(--soft)}td.text{white-space:normal;min-width:190px}\n"
    /* On a phone each measure is a small card instead of a row. */
    "@media(max-width:680px){main{padding:18px 14px 40px}"
    ".verdict{padding:14px}.score{font-size:34px}"
    "th{display:none}tr{display:grid;grid-template-columns:1fr auto;"
    "align-items:center;padding:8px 0;border-bottom:1px solid var(--line)}"
    "td{border:0;padding:1px 0}td:nth-child(3){grid-column:2;grid-row:2}"
    "td.text{min-width:0;padding-right:12px}"
    "td:nth-child(3) svg{width:110px}}\n";

/* --- verdict --- */

/* Others will read the page: they need no folders of this machine. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void put_head(FILE *f, const analyze_report *r, const char *path)
{
    const char *name = base_name(path);
    bool good = r->verdict == LAB_OK;
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
          f);
    put_escaped(f, name);
    fprintf(f, " - moshi analyze</title>\n<style>\n%s</style></head><body>"
            "<main>\n<h1>", style);
    put_escaped(f, name);
    fprintf(f, "</h1>\n<p class=\"soft\">%.2f s, %g Hz, %.1f frames of "
            "80 ms</p>\n<div class=\"verdict\"><div class=\"score %s\">",
            r->measure[ANALYZE_SECONDS], r->measure[ANALYZE_RATE],
            r->measure[ANALYZE_FRAMES], good ? "good" : "bad");
    if (r->scored)
        fprintf(f, "%d", r->score);
    else
        fputs("-", f);
    fprintf(f, "</div><div><strong>%s</strong><p>",
            lab_class_name(r->verdict));
    put_escaped(f, r->line);
    fputs("</p></div></div>\n", f);
}

static void put_findings(FILE *f, const analyze_report *r)
{
    if (r->findings == 0)
        return;
    fputs("<h2>Findings</h2>\n<ul>\n", f);
    for (size_t i = 0; i < r->findings; i++) {
        fputs("<li>", f);
        put_escaped(f, r->finding[i].what);
        fprintf(f, " <span class=\"soft\">(%s; measured %.4g)</span></li>\n",
                lab_class_name(r->finding[i].about), r->finding[i].measured);
    }
    fputs("</ul>\n", f);
}

/* --- pictures --- */

/* From night blue over violet and orange to pale yellow. */
static void fill_palette(uint8_t palette[256][3])
{
    static const double stop[5][3] = {{10, 12, 36}, {78, 24, 110},
                                      {182, 54, 96}, {246, 140, 66},
                                      {252, 246, 190}};
    for (int i = 0; i < 256; i++) {
        double at = i / 255.0 * 4;
        int low = at >= 4 ? 3 : (int)at;
        for (int c = 0; c < 3; c++)
            palette[i][c] = (uint8_t)(stop[low][c] +
                (at - low) * (stop[low + 1][c] - stop[low][c]));
    }
}

static moshi_status put_spectrogram(FILE *f, const analyze_picture *p, int top,
                                    moshi_error *err)
{
    uint8_t palette[256][3];
    uint8_t *turned = memory_calloc(p->columns * PICTURE_ROWS, 1);
    char *address = NULL;
    for (size_t x = 0; turned && x < p->columns; x++)
        for (size_t y = 0; y < PICTURE_ROWS; y++)
            turned[(PICTURE_ROWS - 1 - y) * p->columns + x] =
                p->shade[x * PICTURE_ROWS + y];
    fill_palette(palette);
    if (turned)
        address = png_out_address(turned, p->columns, PICTURE_ROWS,
                                  (const uint8_t(*)[3])palette);
    memory_free(turned);
    if (!address)
        return error_no_memory(err, "the picture");
    fprintf(f, "<image x=\"0\" y=\"%d\" width=\"%zu\" height=\"%d\" "
            "preserveAspectRatio=\"none\" href=\"%s\"/>\n", top,
            COLUMN * p->columns, SPECTRUM, address);
    memory_free(address);
    for (int khz = 4; khz < 12; khz += 4)
        fprintf(f, "<text x=\"4\" y=\"%d\" style=\"fill:#fff\">%d kHz</text>\n",
                top + SPECTRUM - SPECTRUM * khz / 12 + 4, khz);
    return MOSHI_OK;
}

static void put_wave(FILE *f, const analyze_picture *p)
{
    double middle = WAVE_TOP + WAVE / 2.0, largest = 0.05;
    for (size_t c = 0; c < p->columns; c++)
        largest = fmax(largest, fmax((double)p->high[c], -(double)p->low[c]));
    double scale = WAVE / 2.0 / largest;
    fputs("<path id=\"wave\" fill=\"var(--wave)\" d=\"M0 ", f);
    fprintf(f, "%.1f", middle);
    for (size_t c = 0; c < p->columns; c++)
        fprintf(f, "L%zu %.1f", COLUMN * c + 1,
                middle - scale * (double)p->high[c] - 0.5);
    for (size_t c = p->columns; c-- > 0;)
        fprintf(f, "L%zu %.1f", COLUMN * c + 1,
                middle - scale * (double)p->low[c] + 0.5);
    fputs("Z\"/>\n", f);
}

static double place(const analyze_picture *p, double sample)
{
    return (sample - (double)p->start) / PICTURE_HOP * COLUMN;
}

/* The grid where it was found, else from the first sample on. */
static void put_grid(FILE *f, const analyze_report *r, int height)
{
    const analyze_picture *p = &r->picture;
    double offset = r->measure[ANALYZE_CUT_OFFSET];
    double width = (double)(COLUMN * p->columns);
    bool found = !isnan(offset);
    for (double at = (double)p->start + (found ? offset : 0);
         place(p, at) < width; at += ANALYZE_FRAME)
        fprintf(f, "<path stroke=\"var(--soft)\" stroke-opacity=\"%s\" "
                "stroke-width=\".6\" d=\"M%.1f %dV%d\"/>\n",
                found ? ".55" : ".25", place(p, at), WAVE_TOP, height);
    for (size_t i = 0; i < r->flags; i++) {
        double x = place(p, (double)r->flag[i].sample);
        double wide = (double)r->flag[i].samples / PICTURE_HOP * COLUMN;
        if (x + wide < 0 || x > width)
            continue;
        if (wide > 0)
            fprintf(f, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
                    "height=\"%d\" fill=\"var(--bad)\" "
                    "fill-opacity=\".28\"/>\n", x, WAVE_TOP, wide,
                    height - WAVE_TOP);
        else
            fprintf(f, "<path stroke=\"var(--bad)\" stroke-width=\"1.6\" "
                    "d=\"M%.1f %dV%d\"/>\n", x, WAVE_TOP - 4, height);
    }
    size_t first = (p->start + ANALYZE_RATE_HZ - 1) / ANALYZE_RATE_HZ;
    for (size_t s = first; place(p, (double)s * ANALYZE_RATE_HZ) < width; s++)
        fprintf(f, "<text x=\"%.1f\" y=\"12\">%zu s</text>\n",
                place(p, (double)s * ANALYZE_RATE_HZ) + 2, s);
}

/* The whole of it in the width of the page; below it the same to be scrolled. */
static void put_overview(FILE *f, const analyze_report *r)
{
    const analyze_picture *p = &r->picture;
    size_t width = COLUMN * p->columns;
    fprintf(f, "<svg viewBox=\"0 %d %zu %d\" width=\"100%%\" height=\"56\" "
            "preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"overview\"><use href=\"#wave\"/>\n",
            WAVE_TOP, width, WAVE);
    for (size_t i = 0; i < r->flags; i++) {
        double x = place(p, (double)r->flag[i].sample);
        double wide = fmax((double)r->flag[i].samples / PICTURE_HOP * COLUMN,
                           (double)width / 500);
        if (x + wide >= 0 && x <= (double)width)
            fprintf(f, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
                    "height=\"%d\" fill=\"var(--bad)\" "
                    "fill-opacity=\".28\"/>\n", x, WAVE_TOP, wide, WAVE);
    }
    fputs("</svg>\n", f);
}

static moshi_status put_pictures(FILE *f, const analyze_report *r,
                                 moshi_error *err)
{
    const analyze_picture *p = &r->picture;
    moshi_status status = MOSHI_OK;
    int top = WAVE_TOP + WAVE + GAP;
    int height = p->shade ? top + SPECTRUM : WAVE_TOP + WAVE;
    if (p->columns == 0)
        return MOSHI_OK;
    fprintf(f, "<h2>From %.1f s to %.1f s</h2>\n",
            (double)p->start / ANALYZE_RATE_HZ,
            (double)(p->start + p->columns * PICTURE_HOP) / ANALYZE_RATE_HZ);
    put_overview(f, r);
    fprintf(f, "<div class=\"strip\" tabindex=\"0\" role=\"group\" "
            "aria-label=\"pictures, to be scrolled\"><svg width=\"%zu\" "
            "height=\"%d\" role=\"img\" aria-label=\"waveform and "
            "spectrogram\">\n", COLUMN * p->columns, height);
    put_wave(f, p);
    if (p->shade)
        status = put_spectrogram(f, p, top, err);
    put_grid(f, r, height);
    fputs("</svg></div>\n<p class=\"soft\">Thin lines: frames of 80 ms", f);
    fputs(isnan(r->measure[ANALYZE_CUT_OFFSET])
              ? ", drawn from the first sample on" : ", where cuts show them",
          f);
    fputs(". Red: cuts, and stretches that are flagged. Scroll sideways to "
          "see all of it.</p>\n", f);
    return status;
}

/* --- measures --- */

/* A bar for a measure with a range; one with an open end gets as much again
 * beyond the other. */
static void put_bar(FILE *f, double v, double low, double high)
{
    double from = low, to = high;
    if (isnan(v) || (isinf(low) && isinf(high)))
        return;
    double width = isinf(low) || isinf(high)
                       ? fmax(1, fabs(isinf(low) ? high : low))
                       : fmax(high - low, 1e-9);
    from = isinf(low) ? fmin(high - width, v) : fmin(low - width / 4, v);
    to = isinf(high) ? fmax(low + width, v) : fmax(high + width / 4, v);
    double scale = (BAR - 8) / (to - from);
    double left = isinf(low) ? 0 : (low - from) * scale + 4;
    double right = isinf(high) ? BAR : (high - from) * scale + 4;
    fprintf(f, "<svg viewBox=\"0 0 %d 14\" width=\"%d\" height=\"14\">"
            "<rect y=\"5\" width=\"%d\" "
            "height=\"4\" rx=\"2\" fill=\"var(--line)\"/><rect x=\"%.1f\" "
            "y=\"4\" width=\"%.1f\" height=\"6\" rx=\"3\" "
            "fill=\"var(--band)\"/><circle cx=\"%.1f\" cy=\"7\" r=\"4\" "
            "fill=\"var(--%s)\"/></svg>",
            BAR, BAR, BAR, left, fmax(right - left, 2), (v - from) * scale + 4,
            v < low || v > high ? "bad" : "good");
}

static void put_measures(FILE *f, const analyze_report *r)
{
    fputs("<h2>Measures</h2>\n<div class=\"table\"><table><tr><th>measure</th>"
          "<th></th><th>range of clean speech</th><th></th></tr>\n", f);
    for (int m = 0; m < ANALYZE_MEASURE_COUNT; m++) {
        const analyze_measure_info *about =
            analyze_measure_about((analyze_measure)m);
        double v = r->measure[m];
        if (isnan(v))
            continue;
        fprintf(f, "<tr><td>%s</td><td class=\"number\">%.*g %s</td><td>",
                about->name, fabs(v) >= 1000 ? 9 : 4, v, about->unit);
        put_bar(f, v, about->low, about->high);
        fprintf(f, "</td><td class=\"soft text\">%s</td></tr>\n", about->text);
    }
    fputs("</table></div>\n</main></body></html>\n", f);
}

static moshi_status write_file(const char *path, const char *text, size_t n,
                               moshi_error *err)
{
    output_file *file = NULL;
    moshi_status status = output_file_open(&file, path, err);
    if (status == MOSHI_OK)
        status = output_file_write(file, text, n, err);
    if (status == MOSHI_OK)
        status = output_file_commit(file, err);
    output_file_close(&file);
    return status;
}

moshi_status analyze_html_write(const char *path, const analyze_report *r,
                                const char *name, moshi_error *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return error_no_memory(err, "the page");
    put_head(f, r, name);
    put_findings(f, r);
    moshi_status status = put_pictures(f, r, err);
    put_measures(f, r);
    bool failed = ferror(f) != 0;
    if (fclose(f) != 0 || failed) {
        if (status == MOSHI_OK)
            status = error_no_memory(err, "the page");
    }
    if (status == MOSHI_OK)
        status = write_file(path, text, n, err);
    free(text);
    return status;
}
