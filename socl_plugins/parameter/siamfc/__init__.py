"""SiamFC on networks learned from weak labels."""
