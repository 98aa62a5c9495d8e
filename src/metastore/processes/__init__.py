"""Work that spans features: the relay of recorded facts, the reaper of what was left behind."""
