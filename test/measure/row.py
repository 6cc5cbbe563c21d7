"""What was counted of the answers to one question."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """Every answer is complete, cut by its length, or a fault; a complete one is valid or a fault."""

    name: str
    answers: int = 0
    complete: int = 0
    valid: int = 0
    cut: int = 0
    tokens: int = 0
    faults: list = field(default_factory=list)

    def count(self, answer, judge):
        """Counts an answer. judge looks at a complete one and returns what is wrong, empty if nothing is."""
        self.answers += 1
        self.tokens += answer.tokens
        if answer.error:
            self.faults.append(answer.error)
        elif answer.finish == "length":
            self.cut += 1
        else:
            self.complete += 1
            if fault := judge(answer):
                self.faults.append(f"{fault}: {answer}")
            else:
                self.valid += 1
