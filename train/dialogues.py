"""Conversations as nano should hold them: what the user's side sounds like, and
which text and codes nano answers with.

nano's side is spliced from parts that never vary: each reply is spoken and
encoded once, on the frame grid and after silence; everything between replies is
the code of silence. The user's side is sound, encoded as it comes.
"""
import random
from dataclasses import dataclass

import numpy as np
import torch

import augment
import domain
import voices
from espeak import SAMPLE_RATE
from lm import PAD, WORD_FOLLOWS
from make_speech import NANO_PEAK, scaled
from mimi import FRAME_SAMPLES

REPLY_AFTER = 6      # frames from the end of a question to its reply
TAIL_FRAMES = 2      # of a reply's codes after its last sound
_OPENINGS = ["", "", "", "", "", "nano ", "please ", "okay ", "hey nano ", "so ", "um "]


@dataclass
class Reply:
    text: np.ndarray     # [T] text ids, one a frame
    codes: np.ndarray    # [K, T]
    samples: np.ndarray  # what was encoded


class Replies:
    """Every reply of nano's, spoken and encoded once."""

    def __init__(self, mimi, tokenizer, espeak):
        lead = 25  # frames of silence before a reply, so that it starts from rest
        self.by_text = {}
        for text in domain.replies():
            speech = espeak.speak(text, voices.NANO)
            frames = -(-len(speech.samples) // FRAME_SAMPLES) + TAIL_FRAMES
            sound = np.zeros((lead + frames) * FRAME_SAMPLES, np.float32)
            sound[lead * FRAME_SAMPLES:][:len(speech.samples)] = scaled(
                speech.samples, NANO_PEAK)
            codes = encode(mimi, sound[None])[0]
            self.by_text[text] = Reply(
                self._lay(tokenizer, text, speech.words, frames), codes[:, lead:],
                sound[lead * FRAME_SAMPLES:])
        self.silence = encode(
            mimi, np.zeros((1, 100 * FRAME_SAMPLES), np.float32))[0][:, -1]

    @staticmethod
    def _lay(tokenizer, text, words, frames):
        """Text ids of a reply: a word's pieces from its first frame on. A word
        that espeak-ng joins to the one before follows it at once."""
        ids = np.full(frames, PAD)
        times = {where: time for time, _, where in words}
        at, where = -1, 0
        for word in text.split():
            where = text.index(word, where)
            start = max(at + 1, int(times.get(where, 0) * SAMPLE_RATE / FRAME_SAMPLES))
            where += len(word)
            if start > 0 and ids[start - 1] == PAD:
                ids[start - 1] = WORD_FOLLOWS
            for k, piece in enumerate(tokenizer.encode(word)):
                ids[start + k] = piece
                at = start + k
        return ids


@torch.no_grad()
def encode(mimi, sound):
    """Sound [B, S] -> codes [B, K, T]."""
    return mimi.encode(torch.from_numpy(sound)[:, None]).numpy()


class Conversations:
    """An endless supply of conversations of a given length."""

    def __init__(self, replies, espeak, frames, seed, held_out=False):
        self.replies, self.espeak, self.frames = replies, espeak, frames
        self.held_out = held_out  # voices that training never hears
        self.rng, self.noise = random.Random(seed), np.random.default_rng(seed)
        self.topics = domain.topics()
        self.weights = [topic.weight for topic in self.topics]
        self.words = user_words()

    def _question(self):
        topic = self.rng.choices(self.topics, self.weights)[0]
        if topic.reply == domain.UNKNOWN_REPLY and self.rng.random() < 0.3:
            return domain.babble(self.rng), topic.reply
        opening = self.rng.choice(_OPENINGS) if self.rng.random() < 0.5 else ""
        return opening + self.rng.choice(topic.phrasings), topic.reply

    def next(self):
        """(user sound [S], text [T], own codes [K, T], user words [T])."""
        rng = self.rng
        sound = np.zeros(self.frames * FRAME_SAMPLES, np.float32)
        echo = rng.uniform(0.003, 0.04) if rng.random() < 0.15 else 0
        text = np.full(self.frames, PAD)
        own = np.repeat(self.replies.silence[:, None], self.frames, 1)
        words = np.zeros(self.frames, np.int64)
        voice, peak = voices.user_voice(rng, self.held_out), rng.uniform(0.08, 0.8)
        at = rng.uniform(0.1, 1.5) if rng.random() < 0.97 else 1e9  # seconds
        while True:
            if rng.random() < 0.25:
                voice, peak = voices.user_voice(rng, self.held_out), rng.uniform(0.08, 0.8)
            question, answer = self._question()
            reply = self.replies.by_text[answer]
            speech = self.espeak.speak(question, voice)
            begin = int(at * SAMPLE_RATE)
            end = begin + len(speech.samples)
            first = -(-end // FRAME_SAMPLES) + REPLY_AFTER
            last = first + len(reply.text)
            if last > self.frames:
                break
            sound[begin:end] += scaled(speech.samples, peak)
            for i, (_, word, _) in enumerate(speech.words):
                ends = (speech.words[i + 1][0] if i + 1 < len(speech.words)
                        else len(speech.samples) / SAMPLE_RATE)
                frame = int((at + ends) * SAMPLE_RATE / FRAME_SAMPLES) + 1
                words[frame] = self.words.get(word.lower(), 0)
            text[first:last] = reply.text
            text[first - 1] = WORD_FOLLOWS
            own[:, first:last] = reply.codes
            if echo:
                sound[first * FRAME_SAMPLES:last * FRAME_SAMPLES] += (
                    echo * reply.samples)
            pause = rng.uniform(0.1, 1.0) if rng.random() < 0.85 else rng.uniform(1, 8)
            at = last * FRAME_SAMPLES / SAMPLE_RATE + pause
        if rng.random() < 0.3:
            sound = augment.room(self.noise, sound)
        if rng.random() < 0.85:
            level = rng.uniform(-75, -46) if rng.random() < 0.8 else rng.uniform(-46, -38)
            sound = sound + augment.noise(self.noise, len(sound), level)
        return sound.astype(np.float32), text, own, words


def user_words():
    """Number of each word that a question may hold, from 1."""
    found = dict.fromkeys(
        word.lower() for topic in domain.topics() for phrasing in topic.phrasings
        for word in phrasing.split())
    return {word: i + 1 for i, word in enumerate(found)}
