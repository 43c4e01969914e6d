"""Can everybody use the page? Names for screen readers, the way of the Tab key,
contrast, narrow screens. And what its canvas shows.
"""
import time

# Name and contrast of everything with text of its own that can be seen.
CONTRASTS = """
(() => {
    const parse = (text) => {
        const n = text.match(/[\\d.]+/g).map(Number);
        return n.length < 4 ? [...n.slice(0, 3), 1] : n;
    };
    const ground = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const color = parse(getComputedStyle(e).backgroundColor);
            if (color[3] === 1)
                return color;
        }
        return [255, 255, 255, 1];
    };
    const light = (color) => {
        const part = (x) => (x /= 255) <= 0.03928 ? x / 12.92
            : ((x + 0.055) / 1.055) ** 2.4;
        return 0.2126 * part(color[0]) + 0.7152 * part(color[1]) +
            0.0722 * part(color[2]);
    };
    const found = [];
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some((node) =>
            node.nodeType === 3 && node.textContent.trim());
        if (!own || !e.getClientRects().length || e.closest('.unseen') ||
            e.closest(':disabled'))
            continue;
        const ink = light(parse(getComputedStyle(e).color));
        const paper = light(ground(e));
        const ratio = (Math.max(ink, paper) + 0.05) /
            (Math.min(ink, paper) + 0.05);
        found.push([e.textContent.trim().slice(0, 30), ratio]);
    }
    return found;
})()
"""

# Coloured pixels above and below the line, of all bars or of the newest ones.
LEVELS = """
((newest) => {
    const canvas = document.getElementById('levels');
    const pen = canvas.getContext('2d');
    const width = newest === null ? canvas.width
        : Math.round(newest * 6 * devicePixelRatio);
    const {data} = pen.getImageData(canvas.width - width, 0, width,
        canvas.height);
    const middle = canvas.height / 2;
    const dots = 6 * devicePixelRatio; // what is next to nothing
    let above = 0;
    let below = 0;
    for (let y = 0; y < canvas.height; y++)
        for (let x = 0; x < width; x++)
            if (data[4 * (y * width + x) + 3] > 128) {
                above += y < middle - dots;
                below += y > middle + dots;
            }
    return [above, below];
})
"""

FOCUSED = "document.activeElement?.id ?? ''"


def level_pixels(page, newest=None):
    return page.run(f"{LEVELS}({'null' if newest is None else newest})")


def tab_order(page, presses, *, shift=False):
    order = []
    for _ in range(presses):
        page.press("Tab", shift=shift)
        order.append(page.run(FOCUSED))
    return order


def check_contrast(page, check, what):
    for dark in (False, True):
        page.size(1280, 800, dark=dark)
        time.sleep(0.3) # transitions
        weak = [f"{name}: {ratio:.2f}" for name, ratio in page.run(CONTRASTS)
                if ratio < 4.5]
        check(not weak, f"{what} can be read, {'dark' if dark else 'light'}", *weak)
    page.size(1280, 800)


def check_page(page, check):
    check_contrast(page, check, "the page")
    for width in (320, 390, 1280):
        page.size(width, 740, phone=width < 500)
        wide = page.run("document.documentElement.scrollWidth - innerWidth")
        check(wide <= 0, f"{width} pixels are wide enough", f"{wide} too few")
    page.size(1280, 800)
    order = tab_order(page, 3)
    check(order == ["settings-open", "scroll", "talk"],
          "the Tab key goes from top to bottom", order)
    names = page.accessible()
    for wanted in (("heading", "moshi"), ("button", "Settings"),
                   ("region", "What Moshi says"), ("button", "Start talking"),
                   ("button", "Mute"), ("status", ""), ("log", "Words as they come")):
        check(any(role == wanted[0] and name.startswith(wanted[1])
                  for role, name in names),
              f"a screen reader is told of {' '.join(wanted)}".rstrip(), names)
    rule = page.run("fetch('/').then((a) => "
                    "a.headers.get('content-security-policy'))")
    check("default-src 'none'" in rule and "unsafe-inline" not in rule,
          "the page may ask for nothing else, and run nothing else", rule)


def check_dialog(page, check):
    names = page.accessible()
    for role, name in (("combobox", "Microphone"), ("checkbox", "Cancel echo"),
                       ("checkbox", "Reduce noise"), ("spinbutton", "Text top-k"),
                       ("spinbutton", "Text temperature"), ("textbox", "Seed"),
                       ("textbox", "Token, if the server wants one")):
        check((role, name) in names, f"the settings have a {role} named {name}",
              [n for n in names if n[0] == role])
    check_contrast(page, check, "the dialog")
    for width, height in ((320, 600), (390, 844), (1280, 800)):
        page.size(width, height, phone=width < 500)
        fits = page.run("""(() => {
            const box = document.getElementById('settings');
            box.scrollTop = 1e6;
            const last = document.querySelector('.row .main')
                .getBoundingClientRect();
            return last.bottom <= innerHeight && last.right <= innerWidth;
        })()""")
        check(fits, f"all of it can be reached on {width} x {height}")
    page.size(1280, 800)
    inside = page.run("document.getElementById('settings')"
                      ".contains(document.activeElement)")
    check(inside, "the keyboard is inside the dialog")
    page.press("Escape")
    check(page.run(FOCUSED) == "settings-open",
          "Escape closes it, and goes back to where one was", page.run(FOCUSED))
    page.press("Enter")
    check(page.run("document.getElementById('settings').open"),
          "Enter opens it again")
