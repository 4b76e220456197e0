"""Messages about accounts. Pure."""

from __future__ import annotations

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Say


class Welcome(Content, frozen=True, tag="welcome"):
    """A new account, and the link that verifies its address."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Welcome to {marketplace}: confirm your e-mail address"),
            heading=say("Welcome, {name}", name=self.name),
            preview=say("One click, and your account is ready."),
            paragraphs=[
                say("Your account is almost ready. Confirm that this address is yours."),
                say("The link works once and for one day."),
            ],
            action=say("Confirm my address"),
            path=link,
            note=say("You did not open an account? Then ignore this mail; nothing will happen."),
        )


class ResetPassword(Content, frozen=True, tag="reset_password"):
    """The link with which a forgotten password is replaced."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Choose a new password"),
            heading=say("Choose a new password"),
            paragraphs=[
                say(
                    "Hello {name}, somebody asked for a new password for your account.",
                    name=self.name,
                ),
                say("If it was you, choose one now. The link works once and for one hour."),
            ],
            action=say("Choose a new password"),
            path=link,
            note=say("It was not you? Then ignore this mail; your password stays as it is."),
        )


class ConfirmNewEmail(Content, frozen=True, tag="confirm_new_email"):
    """Sent to the new address of an account."""

    name: str
    new_email: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Confirm your new e-mail address"),
            heading=say("Confirm your new address"),
            paragraphs=[
                say(
                    "Hello {name}, {email} is to become the address of your account.",
                    name=self.name,
                    email=self.new_email,
                ),
                say("We sent a mail to the old address too. It changes when both are confirmed."),
            ],
            action=say("Confirm this address"),
            path=link,
            note=say("You have no account with us? Then ignore this mail."),
        )


class ConfirmOldEmail(Content, frozen=True, tag="confirm_old_email"):
    """Sent to the present address of an account that is to get another one."""

    name: str
    new_email: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Somebody wants to change the e-mail address of your account"),
            heading=say("Is this change yours?"),
            paragraphs=[
                say(
                    "Hello {name}, your account is to move to {email}.",
                    name=self.name,
                    email=self.new_email,
                ),
                say("It moves only if you agree here and the new address is confirmed too."),
            ],
            action=say("Agree to the change"),
            path=link,
            note=say("It was not you? Do not click. Log in and change your password."),
        )


class AddressTaken(Content, frozen=True, tag="address_taken"):
    """Somebody tried to register with an address that has an account."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("You already have an account"),
            heading=say("You already have an account"),
            paragraphs=[
                say(
                    "Hello {name}, somebody tried to open an account with your address.",
                    name=self.name,
                ),
                say("If it was you, just log in. If you forgot your password, choose a new one."),
            ],
            action=say("Log in"),
            path="/login",
            note=say("It was not you? Nothing was changed, and nobody was told that you are here."),
        )


class PasswordChanged(Content, frozen=True, tag="password_changed"):
    """The password of an account is another one."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Your password was changed"),
            heading=say("Your password was changed"),
            paragraphs=[
                say(
                    "Hello {name}, your account has a new password since just now.", name=self.name
                ),
            ],
            action=say("Look at my account"),
            path="/account/security",
            note=say("It was not you? Choose a new password at once, by “Forgot password”."),
        )


class NewSignIn(Content, frozen=True, tag="new_sign_in"):
    """A log-in from a device that the account had not used."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("New log-in to your account"),
            heading=say("A new device logged in"),
            paragraphs=[
                say(
                    "Hello {name}, somebody logged in to your account from a device that it had "
                    "not seen before. If it was you, there is nothing to do.",
                    name=self.name,
                ),
            ],
            action=say("See my devices"),
            path="/account/security",
            note=say("It was not you? Log the device out there and change your password."),
        )
