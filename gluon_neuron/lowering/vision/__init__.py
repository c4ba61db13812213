"""Rules of operators on images, boxes and regions of interest."""
