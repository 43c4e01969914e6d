// settings.js: the dialog of settings, and where they are kept: in this
// browser, the token only as long as the tab is open.

const FIELDS = ['microphone', 'echoCancellation', 'noiseSuppression',
    'textTemperature', 'textTopK', 'audioTemperature', 'audioTopK', 'seed',
    'token'];
const SWITCHES = ['echoCancellation', 'noiseSuppression'];
const KEY = 'moshi-settings';
const TOKEN_KEY = 'moshi-token';

// Browsers may forbid storage; then nothing is kept.
function load(storage, key) {
    try {
        return window[storage].getItem(key);
    } catch {
        return null;
    }
}

function store(storage, key, text) {
    try {
        window[storage].setItem(key, text);
    } catch {
        // Not kept.
    }
}

function kept() {
    try {
        const object = JSON.parse(load('localStorage', KEY));
        return object && typeof object === 'object' ? object : {};
    } catch {
        return {};
    }
}

// The token of an address that ends with #token=…, which is then shown no
// more.
function tokenOfAddress() {
    const token = new URLSearchParams(location.hash.slice(1)).get('token');
    if (token !== null)
        history.replaceState(null, '', location.pathname + location.search);
    return token;
}

export class Settings {
    constructor(dialog, opener) {
        this.dialog = dialog;
        this.form = dialog.querySelector('form');
        this.field = Object.fromEntries(FIELDS.map((name) =>
            [name, dialog.querySelector(`#${name}`)]));
        this.fill({echoCancellation: true, noiseSuppression: true,
            ...kept(),
            token: tokenOfAddress() ?? load('sessionStorage', TOKEN_KEY)});
        this.keep();
        opener.addEventListener('click', () => this.open());
        this.form.addEventListener('submit', (event) => {
            event.preventDefault();
            dialog.close();
        });
        dialog.addEventListener('close', () => this.closed());
        dialog.querySelector('#settings-reset').addEventListener('click',
            () => this.fill({echoCancellation: true,
                noiseSuppression: true}));
    }

    fill(values) {
        for (const name of FIELDS) {
            const value = values[name];
            if (SWITCHES.includes(name))
                this.field[name].checked = value !== false;
            else
                this.field[name].value = value ?? '';
        }
        // Its list is made when it is opened.
        this.microphone = values.microphone ?? '';
    }

    // What a conversation begins with.
    values() {
        const values = {};
        for (const name of FIELDS)
            values[name] = SWITCHES.includes(name)
                ? this.field[name].checked : this.field[name].value.trim();
        values.microphone = this.microphone;
        return values;
    }

    keep() {
        const {token, ...others} = this.values();
        store('localStorage', KEY, JSON.stringify(others));
        store('sessionStorage', TOKEN_KEY, token);
    }

    async open() {
        this.dialog.showModal();
        await this.listMicrophones();
    }

    closed() {
        this.microphone = this.field.microphone.value;
        // Escape leaves what cannot be sent; it is not kept.
        for (const name of FIELDS)
            if (!this.field[name].validity.valid)
                this.field[name].value = '';
        this.keep();
    }

    // Browsers tell names only once the microphone has been allowed.
    async listMicrophones() {
        const list = this.field.microphone;
        let devices = [];
        try {
            devices = await navigator.mediaDevices.enumerateDevices();
        } catch {
            // Then there is no choice.
        }
        const usual = list.options[0];
        list.replaceChildren(usual);
        for (const device of devices)
            if (device.kind === 'audioinput' && device.label &&
                device.deviceId !== 'default')
                list.append(new Option(device.label, device.deviceId));
        list.value = this.microphone;
        if (list.selectedIndex < 0)
            list.value = '';
    }

    // Show what the server chose where there is no wish.
    chosen(metadata) {
        const shown = {textTemperature: 'text_temperature',
            textTopK: 'text_topk', audioTemperature: 'audio_temperature',
            audioTopK: 'audio_topk'};
        for (const [name, key] of Object.entries(shown))
            if (typeof metadata[key] === 'number' && !this.field[name].value)
                this.field[name].placeholder = String(metadata[key]);
    }
}
