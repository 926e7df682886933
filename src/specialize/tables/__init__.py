"""Tables and figures of a run: what went in, test scores with significance, the paper's beside ours, answers."""
