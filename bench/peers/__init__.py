"""What we are compared with, each as its own documentation would have it used; knows nothing of us."""
