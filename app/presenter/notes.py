"""The speaker's notes: for each page and example, what to ask and the common wrong answer."""

from __future__ import annotations

from app.presenter.lesson_notes import LESSON_NOTES
from app.presenter.note import SpeakerNote

PAID_STEP, DRAG_STEP = "Who gets paid?", "Drag the problem"
"""What is opened on either problem's page, as the player names it."""
PAID_NOTE = SpeakerNote(
    "Which of these draws does k = 8 pay, and which does it not even notice?",
    "“The best one only”: every draw is paid for the subsets of 8 in which it is the best.",
)

PRESENTER_NOTES: dict[str, dict[str, SpeakerNote]] = {
    "": {
        "": SpeakerNote(
            "Which of the two policies would you rather use, if you may try 8 times?",
            "“The safe one”: it wins with a single try only.",
        )
    },
    "toy-problem": {
        "": SpeakerNote(
            "Where will the mean end, and why does it not end at the cliff?",
            "“At the top of the hill”: the policy is a bell, and half of it would fall.",
        ),
        "Paper, Figure 1": SpeakerNote(
            "Where is the best mean for k = 1, and in which direction does it move as k grows?",
            "“It stays”: the hill is the same, but a fall costs less when there are other tries.",
        ),
        "Risk seeking pays": SpeakerNote(
            "Which of the two runs has the better single try, and which the better best of 8?",
            "“The same one”: the bold run is worse at one and better at the other.",
        ),
        "Annealing wins": SpeakerNote(
            "Why does k = 1 crawl at first, while k = 8 runs?",
            "“Its learning rate is smaller”: it is the same; a single try rarely scores here.",
        ),
        "Variance hurts": SpeakerNote(
            "All four train for k = 8: what differs, and which will jump most?",
            "“The largest n”: with n = 8 one sample decides the whole step.",
        ),
        "Stuck at pass@1": SpeakerNote(
            "Which runs will leave the lower peak, and what makes them?",
            "“All, in time”: for k = 1 every way off the peak costs single tries.",
        ),
        PAID_STEP: PAID_NOTE,
        DRAG_STEP: SpeakerNote(
            "Where would you put the reward's points so that k = 1 and k = 8 end at the same place?",
            "“There is no such place”: where it falls off as it rises, both end at its top.",
        ),
    },
    "bandit": {
        "": SpeakerNote(
            "Which arms will still be drawn at the end?",
            "“Only the best one”: for a larger k several may stay.",
        ),
        "Annealing wins both": SpeakerNote(
            "k = 1 ends at 0.6: could it still find the arm that pays 1?",
            "“Yes, with patience”: that arm is hardly ever drawn any more.",
        ),
        "Rare jackpot": SpeakerNote(
            "How often is the jackpot drawn at the start, and who will make use of it?",
            "“All will”: for k = 1 the sure half outweighs it.",
        ),
        "Easy prompts crowd out hard ones": SpeakerNote(
            "Six prompts share one policy: which of them does k = 1 give up?",
            "“None, they have their own answers”: they share the parameters.",
        ),
        "k = 8 later: a cost": SpeakerNote(
            "k = 8 begins at update 150: what happens to single tries?",
            "“They stay, the best of 8 rises”: the prompts share parameters and pull them apart.",
        ),
        "k = 8 later: no fall": SpeakerNote(
            "Now each prompt has parameters of its own: what changes?",
            "“Nothing, it is the same k”: it was the sharing that cost single tries.",
        ),
        "Wide tie: k keeps variety": SpeakerNote(
            "Ten arms are equally right: how many are in use at the end?",
            "“Ten”: for k = 1 chance picks a few, and nothing pulls it back.",
        ),
        "Hard: one in a hundred": SpeakerNote(
            "Which k takes off first, and which ends surest?",
            "“The same one”: the first to take off keeps on trying others.",
        ),
        "Your turn: rescue it": SpeakerNote(
            "The run has settled for 0.6: which way would you turn k, and when?",
            "“It can wait”: the longer it settles, the more rarely the better arm is drawn.",
        ),
        PAID_STEP: PAID_NOTE,
        DRAG_STEP: SpeakerNote(
            "Make the trap's best arm pay less and less: when does k = 8 stop going there, and k = 1?",
            "“Both when it no longer pays most”: k = 1 never went there, it draws that arm too rarely.",
        ),
    },
    "learn": {
        "": SpeakerNote(
            "What do you expect, and why, before it is shown?",
            "“I wait for the answer”: a prediction that fails is what stays.",
        ),
        **LESSON_NOTES,
    },
    "language-model": {
        "": SpeakerNote(
            "Trained for k = 1 or for k = 8: which solves more problems within 16 tries?",
            "“The one with the better single try”: the order turns round as tries are added.",
        )
    },
    "runs": {
        "": SpeakerNote(
            "What is lost if this server is killed now?",
            "“The run”: it goes on from its last checkpoint, with the same numbers.",
        )
    },
    "estimators": {
        "": SpeakerNote(
            "What does the best answer add to the best of k, and what does the second best?",
            "“The second adds nothing”: it is the best of every subset without the first.",
        )
    },
    "variance-lab": {
        "": SpeakerNote(
            "All of these are right on average: why care which one is used?",
            "“It makes no difference”: with twice the variance it takes twice the samples.",
        ),
        "Which prompts count?": SpeakerNote(
            "One prompt is solved once in twenty, one every other time: which does each method work on?",
            "“All on the hard one”: the mean counts both alike, GRPO lifts both ends.",
        ),
    },
    "paper-figures": {
        "": SpeakerNote(
            "Which claims do you expect to fail on a small model?",
            "“None, the paper shows them”: look at which ones do, and at their errors.",
        )
    },
    "which-k": {
        "": SpeakerNote(
            "You will use 8 tries: why is the advised k not 8?",
            "“It must be 8”: the larger k is beside n, the more groups teach nothing.",
        )
    },
    "your-results": {
        "": SpeakerNote(
            "One file wins with one try, the other with 16: which model is better?",
            "“The one with the higher pass@16”: look at how reliably it solves what it solves.",
        )
    },
    "glossary": {
        "": SpeakerNote(
            "Which of these words would you find hard to explain to a friend?",
            "“Unbiased means exact”: it means right on average.",
        )
    },
}
"""By the page's address, then by the example or step that is shown; "" where none has its own."""
