"""Who speaks: nano's voice, the voices of training, and those held out of it.

A user's voice is one of espeak-ng's accents with one of its variants, at a
speed and a pitch of its own. Variants and accents in the held-out lists are
never heard in training, neither by the codec nor by the language model.
"""
import random

from espeak import Voice

NANO = Voice("en-us", "f5", words_per_minute=150, pitch=55, pitch_range=40)

ACCENTS = ["en-us", "en", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
           "en-us-nyc"]
ACCENTS_HELD_OUT = ["en-gb-x-rp", "en-029", "en-us"]
VARIANTS = ["", "f1", "f3", "f4", "m1", "m2", "m3", "m4", "m6", "m7", "m8", "klatt",
            "klatt2", "klatt4", "adam", "Alex", "Alicia", "Andrea", "Andy", "belinda",
            "benjamin", "boris", "caleb", "david", "Denis", "Diogo", "ed", "Gene",
            "Henrique", "Hugo", "iven", "Jacky", "john", "Lee", "marcelo", "Marco",
            "Mario", "max", "Michael", "miguel", "Mr", "norbert", "pablo", "paul",
            "pedro", "quincy", "rob", "robert", "sandro", "steph", "steph2", "travis",
            "victor", "zac", "anika", "aunty", "grandma", "grandpa"]
VARIANTS_HELD_OUT = ["f2", "m5", "klatt3", "Annie", "antonio", "edward", "Gene2",
                     "gustave", "iven3", "linda", "michel", "Mike", "shelby", "steph3"]


def user_voice(rng: random.Random, held_out=False):
    accents, variants = ((ACCENTS_HELD_OUT, VARIANTS_HELD_OUT) if held_out
                         else (ACCENTS, VARIANTS))
    return Voice(rng.choice(accents), rng.choice(variants),
                 words_per_minute=rng.randint(125, 195), pitch=rng.randint(20, 80),
                 pitch_range=rng.randint(20, 80))
