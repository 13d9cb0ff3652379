"""What reports of previews claim, held against what is seen of the updates."""
