"""What is measured, whatever the experiment?"""
