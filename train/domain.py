"""What nano can be asked, in which words, and what it answers.

A topic is one thing that can be asked: its reply, the phrasings that training
uses, and the phrasings that only the evaluation uses (`held_out`). Replies are
shared where the answer is the same (2 + 5 and 3 + 4).
"""
import random
from dataclasses import dataclass

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
           "nine", "ten"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
UNKNOWN_REPLY = "I do not know that."


@dataclass(frozen=True)
class Topic:
    name: str
    reply: str
    phrasings: tuple
    held_out: tuple
    weight: float = 1.0   # how often training asks it, 1 = as others


_CHAT = [
    ("hello", "Hello! Nice to meet you.",
     "hello|hi|hi there|good morning|hey there|good evening|hello nano",
     "hello there|hi nano|good afternoon"),
    ("name", "My name is Nano.",
     "what is your name|what's your name|tell me your name|what are you called|"
     "who are you|your name please",
     "can you tell me your name|please tell me your name"),
    ("how are you", "I am very well, thank you.",
     "how are you|how are you doing|how do you do|how are you today|how do you feel|"
     "are you well",
     "how are you doing today|how do you feel today"),
    ("abilities", "I can answer small questions.",
     "what can you do|what do you do|what are you able to do|what can you do for me|"
     "what can I ask you",
     "tell me what you can do|what can you do nano"),
    ("joke", "Why did the robot sleep? It was out of power.",
     "tell me a joke|do you know a joke|say something funny|make me laugh|"
     "a joke please|can you tell me a joke",
     "please tell me a joke|tell me something funny"),
    ("thanks", "You are welcome.",
     "thank you|thanks|thank you very much|thanks a lot|many thanks|okay thank you",
     "thank you so much|thank you nano"),
    ("goodbye", "Goodbye, see you soon.",
     "goodbye|bye bye|see you later|good night|bye for now|see you tomorrow",
     "okay goodbye|goodbye nano"),
    ("robot", "I am a little computer program.",
     "are you a robot|are you a machine|are you human|are you a person|are you real|"
     "what are you",
     "are you a real person|are you a real human"),
    ("home", "I live in this computer.",
     "where do you live|where are you|where is your home|where do you come from|"
     "where are you from",
     "tell me where you live|where is your house"),
    ("maker", "Some friendly engineers made me.",
     "who made you|who built you|who created you|who is your maker|"
     "who are your parents",
     "do you know who made you|tell me who built you"),
    ("age", "I am quite new.",
     "how old are you|what is your age|when were you born|when is your birthday|"
     "are you old|are you young",
     "tell me how old you are|tell me your age"),
    ("weather", "I cannot see outside.",
     "what is the weather like|how is the weather|is it raining|is it sunny today|"
     "what's the weather today|will it rain",
     "what is the weather today|is it raining outside"),
    ("time", "I do not have a clock.",
     "what time is it|what is the time|tell me the time|do you know the time|"
     "what's the time",
     "can you tell me the time|what time is it now"),
    ("food", "I do not eat anything.",
     "what do you eat|are you hungry|what is your favourite food|do you like pizza|"
     "what did you eat today",
     "what do you like to eat|do you eat pizza"),
    ("favourite colour", "I like blue the best.",
     "what is your favourite colour|which colour do you like|"
     "tell me your favourite colour|what colour do you like best",
     "what's your favourite colour|which is your favourite colour"),
    ("favourite animal", "I like small cats.",
     "what is your favourite animal|which animal do you like|do you like animals|"
     "tell me your favourite animal",
     "what's your favourite animal|which animal do you like best"),
    ("sing", "La la la, that was my song.",
     "sing a song|sing me a song|can you sing|please sing|sing something for me",
     "can you sing a song|please sing me a song"),
    ("count", "One, two, three, four, five.",
     "count to five|can you count|count from one to five|please count to five|"
     "count for me",
     "can you count to five|please count for me"),
    ("hear", "Yes, I can hear you.",
     "can you hear me|do you hear me|are you there|are you listening|"
     "is anybody there|nano can you hear me",
     "nano are you there|can you hear me now"),
    ("sad", "I am sorry to hear that.",
     "I am sad|I feel sad today|I am not happy|I feel bad|I am tired",
     "I am sad today|I feel very sad"),
    ("happy", "That is good to hear.",
     "I am happy|I feel good|I feel great today|I am fine|I am very well",
     "I am very happy|I feel happy today"),
    ("help", "Of course, just ask me.",
     "can you help me|help me please|I need help|I have a question|may I ask you something",
     "please help me|can I ask you a question"),
    ("language", "I speak only English.",
     "what language do you speak|do you speak French|which languages do you know|"
     "do you speak English|can you speak Spanish",
     "what languages do you speak|can you speak French"),
    ("week", "A week has seven days.",
     "how many days are in a week|how many days has a week|"
     "how many days does a week have|how long is a week",
     "how many days are there in a week|tell me how many days are in a week"),
    ("year", "A year has twelve months.",
     "how many months are in a year|how many months has a year|"
     "how many months does a year have|how long is a year",
     "how many months are there in a year|tell me how many months are in a year"),
    ("day length", "A day has twenty four hours.",
     "how many hours are in a day|how many hours has a day|"
     "how many hours does a day have|how long is a day",
     "how many hours are there in a day|tell me how many hours are in a day"),
    ("hour", "An hour has sixty minutes.",
     "how many minutes are in an hour|how many minutes has an hour|"
     "how many minutes does an hour have|how long is an hour",
     "how many minutes are there in an hour|tell me how many minutes are in an hour"),
    ("moon", "The moon goes around the earth.",
     "what is the moon|tell me about the moon|what does the moon do|"
     "where is the moon",
     "do you know what the moon is|please tell me about the moon"),
]

_COLOURS = {"the sky": "The sky is blue.", "grass": "Grass is green.",
            "snow": "Snow is white.", "a banana": "A banana is yellow.",
            "a tomato": "A tomato is red.", "coal": "Coal is black.",
            "chocolate": "Chocolate is brown.", "a carrot": "A carrot is orange."}
_OPPOSITES = {"hot": "cold", "big": "small", "up": "down", "day": "night",
              "fast": "slow", "happy": "sad", "open": "closed", "black": "white",
              "left": "right", "wet": "dry", "hard": "soft", "old": "new"}
_SOUNDS = {"cow": "moo", "dog": "woof", "cat": "meow", "duck": "quack",
           "sheep": "baa", "bee": "buzz"}
_LEGS = {"dog": "four", "spider": "eight", "bird": "two", "beetle": "six"}
_CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid",
             "Germany": "Berlin", "Japan": "Tokyo", "England": "London"}
_SPELL = ["cat", "sun", "book", "tree", "fish", "milk", "bird", "house"]
_REPEAT = ["apple", "water", "music", "window", "garden", "summer", "paper", "yellow"]

# (frames of training, frames held out); {} is the thing asked about
_FRAMES = {
    "colour": ("what colour is {}|what is the colour of {}|tell me the colour of {}|"
               "which colour is {}|do you know the colour of {}",
               "do you know what colour {} is|tell me what colour {} is"),
    "opposite": ("what is the opposite of {}|what's the opposite of {}|"
                 "tell me the opposite of {}|the opposite of {} please|"
                 "do you know the opposite of {}",
                 "can you tell me the opposite of {}|"
                 "please tell me the opposite of {}"),
    "sound": ("what does a {} say|what sound does a {} make|how does a {} sound|"
              "tell me what a {} says|which sound does a {} make",
              "do you know what a {} says|can you tell me what a {} says"),
    "legs": ("how many legs has a {}|how many legs does a {} have|"
             "tell me how many legs a {} has",
             "do you know how many legs a {} has"),
    "capital": ("what is the capital of {}|what's the capital of {}|"
                "tell me the capital of {}|which city is the capital of {}|"
                "the capital of {} please",
                "do you know the capital of {}|can you tell me the capital of {}"),
    "spell": ("how do you spell {}|spell {}|spell the word {}|please spell {}|"
              "can you spell {}",
              "how do I spell {}|can you spell the word {}"),
    "repeat": ("repeat {}|say {}|repeat the word {}|say the word {}|please say {}|"
               "repeat after me {}",
               "please repeat {}|can you say {}"),
    "day": ("what day comes after {}|which day comes after {}|what day is after {}|"
            "what comes after {}|which day is after {}|tell me the day after {}",
            "do you know what day comes after {}|tell me what day comes after {}"),
    "number": ("what number comes after {}|what comes after {}|"
               "which number comes after {}|which number is after {}|"
               "tell me the number after {}",
               "do you know what comes after {}|tell me what number comes after {}"),
    "sum": ("what is {}|what's {}|how much is {}|tell me what {} is|{}|calculate {}|"
            "what does {} make",
            "can you tell me what {} is|please tell me what {} is"),
}

_UNKNOWN = (
    "who won the game last night|how far away is Mars|what is the price of gold|"
    "who wrote that book|how do I bake bread|when does the train leave|"
    "what is my brother doing|how tall is that mountain|who painted this picture|"
    "where can I buy shoes|how do planes fly|what is inside a battery|"
    "which film should I watch|who is the president|how deep is the ocean|"
    "what is the meaning of life|how do I fix my car|where did I leave my keys|"
    "what should I wear tomorrow|how many stars are there|who invented the telephone|"
    "how heavy is an elephant|when did the war end|what is the best restaurant here|"
    "why is my phone so slow|how much does a ticket cost|who lives next door|"
    "what is the speed of light|how do magnets work|where is the nearest station|"
    "what is the square root of ninety|who discovered America|how do I plant roses|"
    "what does this letter mean|when will the shop open|how do fish breathe|"
    "which team is the strongest|what is in the news|how long do turtles live|"
    "who sings this song|what is my phone number|how do I tie a tie|"
    "where was this photo taken|why do people dream|what is the tallest building|"
    "how many people live in London|who was Napoleon|how do I cook rice|"
    "what is the name of that flower|when is the next holiday")
_UNKNOWN_HELD_OUT = (
    "how far away is Jupiter|who wrote this letter|how do I cook potatoes|"
    "when does the bus leave|where can I buy a hat|how deep is the lake|"
    "how do I fix my bicycle|who invented the radio|how heavy is a whale|"
    "why is my computer so slow|how do birds fly|how long do elephants live|"
    "what is the longest river|who was Cleopatra|where did I leave my glasses")


def _split(text, thing=None):
    parts = tuple(text.split("|"))
    return parts if thing is None else tuple(p.format(thing) for p in parts)


def _family(kind, thing, reply, weight=1.0):
    train, held_out = _FRAMES[kind]
    return Topic(f"{kind} {thing}", reply, _split(train, thing),
                 _split(held_out, thing), weight)


def topics():
    """Every topic, in a fixed order."""
    result = [Topic(name, reply, _split(train), _split(held_out))
              for name, reply, train, held_out in _CHAT]
    result += [_family("colour", k, v) for k, v in _COLOURS.items()]
    result += [_family("opposite", k, f"The opposite of {k} is {v}.")
               for k, v in _OPPOSITES.items()]
    result += [_family("sound", k, f"A {k} says {v}.") for k, v in _SOUNDS.items()]
    result += [_family("legs", k, f"A {k} has {v} legs.") for k, v in _LEGS.items()]
    result += [_family("capital", k, f"The capital of {k} is {v}.")
               for k, v in _CAPITALS.items()]
    result += [_family("spell", w, f"{w.capitalize()} is spelled "
                       + ", ".join(w.upper()) + ".") for w in _SPELL]
    result += [_family("repeat", w, f"You said {w}.") for w in _REPEAT]
    result += [_family("day", day, f"After {day} comes {DAYS[(i + 1) % 7]}.")
               for i, day in enumerate(DAYS)]
    result += [_family("number", NUMBERS[n],
                       f"After {NUMBERS[n]} comes {NUMBERS[n + 1]}.")
               for n in range(1, 10)]
    for a in range(1, 10):
        for b in range(1, 11 - a):
            result.append(_family("sum", f"{NUMBERS[a]} plus {NUMBERS[b]}",
                                  f"That makes {NUMBERS[a + b]}."))
    result.append(Topic("unknown", UNKNOWN_REPLY, _split(_UNKNOWN),
                        _split(_UNKNOWN_HELD_OUT), 12.0))
    return result


def replies():
    """Every reply once, in a fixed order."""
    return list(dict.fromkeys(topic.reply for topic in topics()))


# Words for speech that nobody answers: it teaches the codec how English sounds.
_WORDS = (
    "about above across air all always among animal answer around ask away baby back "
    "ball bank bath bear beautiful because bed before begin behind bell below bench "
    "between bird boat body bone bottle box branch bread breakfast bridge bright bring "
    "brother brush build burn butter button buy cake call camera candle careful carry "
    "castle catch chair chance change cheese child choose church circle city class clean "
    "clear climb cloud coat coffee cook copper corner cotton country cousin cover crowd "
    "cup curtain dance danger daughter deep desk dinner direction doctor door dream dress "
    "drink drive during dust early earth easy edge egg eight either engine enjoy enough "
    "evening every example eye face family farm father feather field finger fire flower "
    "fly follow forest forget friend fruit future game gentle girl glass glove gold "
    "grandmother great ground group guess hair half hammer hand happen heart heavy high "
    "hill history hold honey hope horse hospital hour hungry ice idea inside iron island "
    "jacket join journey judge juice jump kettle key kind kitchen knife ladder lake "
    "language large laugh leaf learn leather lemon letter library light lion listen long "
    "machine market matter measure meat message middle minute mirror money month morning "
    "mother mountain mouse mouth move mushroom narrow nature needle neighbour never noise "
    "north number ocean often oil onion orange other oven page paint pair parent party "
    "path pencil people pepper picture piece pillow plane plant plate please pocket poem "
    "point potato power present prize promise public purple question quick quiet rabbit "
    "rain reach ready reason receive remember rice ring river road roof room round rule "
    "safe salt sand school science season second shadow shape share sharp ship shirt "
    "shoulder silver sister sleep smell smile smooth soap soldier sound soup south space "
    "speak spoon spring square stamp station stone story straight strange street strong "
    "sugar sure surprise sweet swim table teach thank thick thin think thousand thread "
    "thumb thunder ticket together tomorrow tongue tooth touch towel town train travel "
    "treasure trouble trust turn twelve umbrella uncle under usual valley value vegetable "
    "very village visit voice wait walk wall warm wash watch weather weight west wheel "
    "whisper wide wild wind wing winter wire wonder wood world write wrong year young "
    "zebra").split()


def babble(rng: random.Random):
    """A few words that mean nothing together."""
    return " ".join(rng.choice(_WORDS) for _ in range(rng.randint(3, 9)))


if __name__ == "__main__":
    every = topics()
    print(f"{len(every)} topics, {len(replies())} replies, "
          f"{sum(len(t.phrasings) for t in every)} phrasings for training, "
          f"{sum(len(t.held_out) for t in every)} held out")
