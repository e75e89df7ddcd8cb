"""An open letter that lives on the fediverse: signed by replying or boosting."""
