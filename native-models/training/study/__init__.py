"""The four papers' design-space tables at this scale: arms, their queue, their logs, and the page made of them."""
