"""The score of a training, in the direction of the course's: lower is better."""

from lib.messages import message


class Score(float):
    """Mean cross-entropy of the images set aside (natural logarithm, unweighted): 0 is perfect, a coin's is .693.

    The course's script returns such a loss, too, so whatever sorts scores, or keeps the least, picks the better network
    also here; an AUC would be picked the wrong way round without a word, even where numpy or pandas have made a plain
    number of it. `auc` is of the same images: there higher is better.
    """

    def __new__(cls, loss: float, auc: float) -> "Score":
        score = super().__new__(cls, loss)
        score.auc = float(auc)
        return score

    def __getnewargs__(self) -> tuple[float, float]:
        return float(self), self.auc

    def __repr__(self) -> str:
        return message("loss {loss:.4f} (lower is better; AUC {auc:.4f}, higher is better)", float(self), self.auc)

    __str__ = __repr__
