"""The learning rate as a function of the update's number (1, 2, ...)."""


def constant(step: int, initial: float, power_t: float) -> float:
    return initial


def invscaling(step: int, initial: float, power_t: float) -> float:
    return initial / step**power_t


# "adaptive" starts constant; the training loop halves it when the loss stops falling.
SCHEDULES = {"constant": constant, "invscaling": invscaling, "adaptive": constant}
