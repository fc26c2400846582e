"""The box of a click, learned: from pooled features of a frozen network around the click to the target's extent."""
