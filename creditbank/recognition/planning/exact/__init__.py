"""Small integer programmes, solved exactly: objectives in their order, over whole numbers (pure).

A model has columns (whole numbers from 0 to a bound), rows (a weighted sum is at
most a number), sums to make as great as possible, one before the other, and then
preferences. It is taken apart into what no row couples; small parts are searched
through, the others are branched over linear relaxations that HiGHS solves. HiGHS
computes with floating point: here it gives bounds and proposals only, with a
margin for its tolerances. A solution is accepted after every row and every sum was
computed again with Python's integers.
"""

from creditbank.recognition.planning.exact.models import Model, Solution, SolverInconsistent
from creditbank.recognition.planning.exact.solving import solve

__all__ = ["Model", "Solution", "SolverInconsistent", "solve"]
