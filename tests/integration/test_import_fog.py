"""Moving from FOG: a dump of its database, as mysqldump writes one, is taken in and the rest is told."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Columns by the order of CREATE TABLE or named; several rows in one statement; quotation marks in both ways.
DUMP = r"""-- MariaDB dump 10.19
DROP TABLE IF EXISTS `hosts`;
CREATE TABLE `hosts` (
  `hostID` int(11) NOT NULL AUTO_INCREMENT,
  `hostName` varchar(16) NOT NULL,
  `hostDesc` longtext NOT NULL,
  `hostImage` int(11) NOT NULL,
  `hostKernelArgs` varchar(250) NOT NULL,
  `hostPending` enum('0','1') NOT NULL,
  `hostUseAD` char(1) NOT NULL,
  PRIMARY KEY (`hostID`),
  KEY `new_index` (`hostName`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3;
INSERT INTO `hosts` VALUES (1,'Lab-01','Anna''s; it\'s (2), new\nroom',7,'acpi=off','0','1'),(2,'LAB-02','',0,'','1','');
CREATE TABLE `hostMAC` (
  `hmID` int(11) NOT NULL,
  `hmHostID` int(11) NOT NULL,
  `hmMAC` varchar(59) NOT NULL,
  `hmPrimary` enum('0','1') NOT NULL,
  `hmPending` enum('0','1') NOT NULL,
  `hmIgnoreImaging` enum('0','1') NOT NULL,
  PRIMARY KEY (`hmID`)
);
INSERT INTO `hostMAC` VALUES (1,1,'00:11:22:33:44:01','1','0','0'),(2,1,'00:11:22:33:44:02','0','0','0');
INSERT INTO `hostMAC` VALUES (3,2,'00:11:22:33:44:03','1','0','0'),(4,2,'00:11:22:33:44:04','0','0','1');
INSERT INTO `groups` (`groupID`, `groupName`, `groupDesc`) VALUES (5,'Room 1',''),(6,'Old',NULL);
INSERT INTO `groupMembers` (`gmID`, `gmHostID`, `gmGroupID`) VALUES (1,1,5),(2,1,6);
INSERT INTO `images` (`imageID`, `imageName`, `imagePath`) VALUES (7,'Windows 11','win11');
INSERT INTO `inventory` (`iHostID`, `iSysman`, `iSysproduct`, `iSysserial`, `iSystemUUID`)
VALUES (1,'Dell Inc.','OptiPlex 7090','ABC123','4c4c4544-0042-4410-8031-b4c04f4e3533');
INSERT INTO `pxeMenu` (`pxeID`, `pxeName`, `pxeDesc`, `pxeParams`) VALUES (1,'fog.local','Boot from hard disk','sanboot'),
(14,'netboot.xyz','Other systems','chain --autofree https://boot.netboot.xyz || goto MENU'),(15,'gparted','GParted','kernel x');
INSERT INTO `users` VALUES (1,'fog','$2y$11$secret');
"""


@pytest.fixture(name="take")
def make_take(postgres, tmp_path):
    postgres.fresh()

    def take(text, *flags):
        (tmp_path / "fog.sql").write_text(text, encoding="utf-8")
        done = subprocess.run([ROOT / "packaging/rouse-db", "import-fog", "--private", postgres.directory,
                               tmp_path / "fog.sql", *flags], check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout
    return take


def test_machines_groups_and_menu(take, postgres):
    status, said = take(DUMP)
    assert status == 0 and "secret" not in said, said
    assert re.findall(r"^ +(\d+ [a-z ]+)$", said, re.M) == ["3 cards", "2 groups", "2 hosts", "1 menu items", "1 profiles"]
    assert postgres.sql("select name, state, group_name, comment, product, serial, uuid::text, macs::text from rouse.hosts") == [
        ("lab-01", "active", "room-1", "Anna's; it's (2), new\nroom; FOG's image: Windows 11", "OptiPlex 7090", "ABC123",
         "4c4c4544-0042-4410-8031-b4c04f4e3533", "{00:11:22:33:44:01,00:11:22:33:44:02}"),
        ("lab-02", "pending", None, None, None, None, None, "{00:11:22:33:44:03}")]
    assert postgres.sql("select m.title, p.url from rouse.menu m join rouse.profiles p on p.name = m.profile "
                        "where m.key = 'netboot-xyz'") == [("Other systems", "https://boot.netboot.xyz")]
    for told in ("group old: a machine is in one group", "card 00:11:22:33:44:04", "hostKernelArgs acpi=off", "gparted",
                 "rouse-db image add windows-11 /images/win11", "Active Directory"):
        assert told in said, said


def test_a_dry_run_changes_nothing(take, postgres):
    status, said = take(DUMP, "--dry-run")
    assert status == 0 and "would be taken" in said and postgres.value("select count(*) from rouse.hosts") == 0


@pytest.mark.parametrize("text, told", [("", "no hosts of FOG"), (DUMP.replace("'1','0','0')", "'1','0','0"), "damaged")])
def test_what_is_no_dump_is_refused(take, postgres, text, told):
    status, said = take(text)
    assert status == 1 and told in said and "remedy" in said and postgres.value("select count(*) from rouse.hosts") == 0
