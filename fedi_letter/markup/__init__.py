"""Text on its way in and out: our Markdown to HTML, and a stranger's HTML to something harmless.

Pure; the only package that knows markdown-it and nh3. Knows nothing of ActivityPub.
"""
