"""What compression does to programs that look at pictures: detection and segmentation on reconstructions."""
