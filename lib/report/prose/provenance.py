"""Sentences on where images and labels come from: true of ChestX-ray14, of drawn images, and of what is known of neither.

A source that names ChestX-ray is the NIH's; what a cohort drawn by this project says of itself is `DRAWN`; of any other,
the report says no more than its name.
"""

from lib.names import DRAWN
from lib.report.words import Words
from lib.results import Results

NIH, OTHER = "chestx-ray", "other"

_SOURCE = {
    NIH: "They are part of ChestX-ray14, the public images of one hospital [@wang2017].",
    DRAWN: "They are drawn by a program, after the frequencies of ChestX-ray14 [@wang2017], and show nobody.",
    OTHER: "How they were chosen is for whoever made the cohort to say.",
}
_LABELS = {
    NIH: "*Sick* means that at least one of fourteen findings is named, *healthy* that none is: a program read the names in "
    "the radiologists' reports [@wang2017].",
    DRAWN: "*Sick* means that at least one finding is recorded, *healthy* that none is: what was drawn is known, and so is "
    "every record that was made wrong on purpose.",
    OTHER: "*Sick* and *healthy* are the two classes that the images came in.",
}
_WARNING = {
    NIH: "The labels were read from reports by a program and are wrong for many images [@oakden2020]; the cohort comes from "
    "one hospital; another hospital may find other gaps [@yang2024].",
    DRAWN: "The images are drawn and show no patient: their gaps were planted or come from chance and training, and tell "
    "nothing of any hospital.",
    OTHER: "How right the labels are has not been measured here; another hospital may find other gaps [@yang2024].",
}
_DOUBT = {
    NIH: "The labels were extracted from reports by a program, and a radiologist who looked at the images found many of them "
    "wrong [@oakden2020]. If they are wrong more often in one group than in another, part of the differences above is noise "
    "of that kind, and no amount of images of this cohort can show it; a second reading of a sample, balanced by group, would.",
    DRAWN: "The file `truth.json` beside the images: it says what was drawn and what was planted, and the differences above "
    "can be held against it. On images of patients nobody has such a file.",
    OTHER: "If the labels are wrong more often in one group than in another, part of the differences above is noise of that "
    "kind, and no amount of images of this cohort can show it; a second reading of a sample, balanced by group, would.",
}
_LIMIT = {
    NIH: "**One hospital, one label source.** Gaps measured here need not exist elsewhere [@yang2024], and labels are noisy "
    "[@oakden2020], perhaps more so in one group than in another.",
    DRAWN: "**No hospital.** The images are drawn: what is found shows what the audit can find, not what happens to patients.",
    OTHER: "**One cohort, one label source.** Gaps measured here need not exist elsewhere [@yang2024], and how noisy the "
    "labels are is not known.",
}
_UNSAID = {
    NIH: "Whether the gaps come from the patients, from the labels or from the exposure. "
    "Whether a correction would keep its effect in another hospital.",
    DRAWN: "Anything about patients: the images are drawn. Whether a correction would keep its effect on images of a hospital.",
}
_NEXT = {
    NIH: "Train more networks under each weighting, which costs computing only; read a sample of the images again, balanced "
    "by group, which would tell bias of the labels from bias of the network; and repeat the audit on a second hospital's "
    "patients.",
    DRAWN: "Train more networks under each weighting, which costs computing only; draw the cohort again with other biases, "
    "or with none, and see whether the audit follows; and repeat it on images of patients.",
}


def source(study: Results) -> Words:
    """Where the images come from, in one sentence that follows their numbers."""
    return _told(study, _SOURCE)


def labels(study: Results) -> Words:
    """What sick and healthy mean, and who said so."""
    return _told(study, _LABELS)


def warning(study: Results) -> Words:
    """Why nothing here is for use on a patient, as far as that lies in images and labels."""
    return _told(study, _WARNING)


def label_doubt(study: Results) -> Words:
    """What would change our mind on the data."""
    return _told(study, _DOUBT)


def provenance_limits(study: Results) -> Words:
    """The limit that images and labels set, for a list of limits."""
    return _told(study, _LIMIT)


def unsaid(study: Results) -> Words:
    """What images of this kind cannot tell."""
    return _told(study, _UNSAID)


def next_steps(study: Results) -> Words:
    """What to do next, on images of this kind."""
    return _told(study, _NEXT)


def _told(study: Results, texts: dict[str, str]) -> Words:
    """The text for this study's source; those that do not depend on who labelled hold for other sources as for the NIH's."""
    name = study.manifest["cohort"]["source"]
    kind = DRAWN if name == DRAWN else NIH if NIH in name.lower() else OTHER
    return Words(texts.get(kind, texts[NIH]))
