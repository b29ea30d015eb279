"""The screen: shows what the engine reports and computes nothing about signals itself."""
