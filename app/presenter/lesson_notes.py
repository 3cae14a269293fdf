"""The speaker's notes for lessons: by a question's key, and by "LESSON task" and "LESSON end"."""

from __future__ import annotations

import math

from app.presenter.note import SpeakerNote

LESSON_NOTES: dict[str, SpeakerNote] = {
    # --- One try, or the best of k?
    "one-try-1": SpeakerNote(
        "Two models, one try each: how would you compare them with a single number?",
        "“The steady one knows more problems”: it solves more kinds, but less often at once.",
    ),
    "one-try-8": SpeakerNote(
        "Who changes their mind with eight tries, and why?",
        "“The order stays”: tries help only where there is some chance to begin with.",
    ),
    "one-try-estimate": SpeakerNote(
        "You hold 16 answers: how many groups of 8 could you have drawn from them?",
        "“Put 3/16 into the formula”: that is too low on average, since a curve lies between.",
    ),
    "one-try task": SpeakerNote(
        "How many problems must the specialist know before it is ahead at 16 tries, too?",
        "“About half more”: a problem without any chance stays lost however often one tries.",
    ),
    "one-try end": SpeakerNote(
        "Where in your own work is the best of several tries kept?",
        "“Nowhere”: a program that passes tests, or a proof that checks, is picked in this way.",
    ),
    # --- How bold is best?
    "how-bold-marker": SpeakerNote(
        "With eight attempts, would you move towards the cliff or away from it?",
        "“Away, since more attempts may fall”: only the best one counts, and it rarely falls.",
    ),
    "how-bold-single": SpeakerNote(
        "What does the bold policy pay when it has a single attempt only?",
        "“Nearly nothing”: more than half of its attempts stay on the hill.",
    ),
    "how-bold task": SpeakerNote(
        "Would you have called a policy good that falls in a third of its attempts?",
        "“Then it cannot be the best”: it is, if the best of that many counts.",
    ),
    "how-bold end": SpeakerNote(
        "Which is right, the careful policy or the bold one?",
        "“The bold one”: neither is, before one says how many attempts count.",
    ),
    # --- What is each answer worth?
    "answers-worth-three": SpeakerNote(
        "Take one answer away: how far does the best of each pair fall?",
        "“In proportion to its reward”: what never is the best of a pair adds nothing.",
    ),
    "answers-worth-k": SpeakerNote(
        "Two right answers of eight: when can the group spare one of them?",
        "“The larger k, the more it is worth”: at k = 8 the other one is always there.",
    ),
    "answers-worth-baseline": SpeakerNote(
        "A wrong answer stands in a pair with the right one: what is it paid?",
        "“Nothing, it is wrong”: without a baseline it is paid the pair's best, too.",
    ),
    "answers-worth task": SpeakerNote(
        "Why does the sum have to be zero here?",
        "“By chance”: the mean is taken off, so whatever one gains others lose.",
    ),
    "answers-worth end": SpeakerNote(
        "What does an answer have to do in order to be reinforced?",
        "“Be right”: it has to be right where the others are not.",
    ),
    # --- Same mean, different noise
    "gradient-noise-clouds": SpeakerNote(
        "All four are right on average: what could still make you prefer one?",
        "“It makes no difference”: a training step sees one estimate, and no average.",
    ),
    "gradient-noise-variances": SpeakerNote(
        "What do the other attempts tell about this one before it is scored?",
        "“All baselines do the same”: they differ in what they compare an attempt with.",
    ),
    "gradient-noise-binary": SpeakerNote(
        "Would you bet on the same winner when answers are right or wrong?",
        "“The paper's best is always best”: it depends on the rewards and on k.",
    ),
    "gradient-noise task": SpeakerNote(
        "Where on this curve would you rather not choose blindly?",
        "“Everywhere alike”: where few are right, the choice hardly matters.",
    ),
    "gradient-noise end": SpeakerNote(
        "Half the variance: what would that save you in samples?",
        "“A little”: half the variance is half the samples for the same certainty.",
    ),
    # --- How many samples for k?
    "samples-for-k-paths": SpeakerNote(
        "How many subsets of 8 are there in 8 attempts, and how many in 16?",
        f"“Twice as many”: it is one against {math.comb(16, 8):,}.",
    ),
    "samples-for-k-budget": SpeakerNote(
        "You may pay for 64 samples: many prompts, or large groups?",
        "“As many prompts as possible”: then every group is as small as k.",
    ),
    "samples-for-k task": SpeakerNote(
        "Twice the samples in a group: is the signal twice as clear?",
        "“Yes, always”: near n = k it grows much faster than that.",
    ),
    "samples-for-k end": SpeakerNote(
        "What would you choose first, n or k?",
        "“k, and n as small as allowed”: n should stay well above k.",
    ),
    # --- Explore, then settle
    "explore-settle-curve": SpeakerNote(
        "When k becomes 1, does the policy go back to the likely arm?",
        "“Yes, k = 1 went there before”: now the rare arm is likely, and pays more.",
    ),
    "explore-settle-reverse": SpeakerNote(
        "If the order is turned round, where does it end?",
        "“At the same place”: what is no longer drawn cannot be paid.",
    ),
    "explore-settle task": SpeakerNote(
        "How early dare you switch?",
        "“As early as possible”: the rare arm has to be likely enough to survive.",
    ),
    "explore-settle end": SpeakerNote(
        "Why not begin with the goal that one wants in the end?",
        "“That would be quickest”: a single try never looks where it does not pay yet.",
    ),
    # --- Does it hold for a language model?
    "on-language-one": SpeakerNote(
        "Training for single tries: what will 16 tries gain from it?",
        "“As much as a single one”: it gains least there, since it is not paid there.",
    ),
    "on-language-eight": SpeakerNote(
        "Trained for eight: at how many tries will it be ahead, and where behind?",
        "“Ahead everywhere”: a single try is the price.",
    ),
    "on-language-hard": SpeakerNote(
        "The same problems again and again: what does the model learn?",
        "“To calculate better”: it learns those by heart, and others get worse.",
    ),
    "on-language task": SpeakerNote(
        "One right answer of sixteen: what is it paid for k = 1, and what for k = 8?",
        "“The same, it is right”: a larger k pays rare success more.",
    ),
    "on-language end": SpeakerNote(
        "Which of this would you expect to hold for a model a thousand times as large?",
        "“All of it”: here it was measured on a small one, and only there.",
    ),
    # --- When is pass@k the wrong goal?
    "wrong-goal-single": SpeakerNote(
        "Six prompts, one policy: who pays when the hard ones are served?",
        "“Nobody, it only gets better”: probability for new arms comes from the old ones.",
    ),
    "wrong-goal-cosine": SpeakerNote(
        "Which way does a step for the best of 8 move a single try?",
        "“The two have nothing to do with each other”: they share every parameter.",
    ),
    "wrong-goal-luck": SpeakerNote(
        "If only the answer is checked, what does trying more often reward?",
        "“Better reasoning”: it rewards luck as well, and luck more with more tries.",
    ),
    "wrong-goal task": SpeakerNote(
        "How much of a policy may prompts share before one pays for the other?",
        "“None at all”: up to a point there is room for both goals.",
    ),
    "wrong-goal end": SpeakerNote(
        "When would you not train for pass@k?",
        "“Never”: not where a single try counts, or where a lucky answer is paid.",
    ),
    "card": SpeakerNote(
        "Which of your predictions was furthest off, and what would you say now?",
        "“I got them all wrong”: those are the ones that one remembers.",
    ),
}
