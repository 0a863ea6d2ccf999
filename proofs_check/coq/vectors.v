(* Vectors of any dimension d: functions on 0, 1, 2, .. of which the coordinates below d count. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

Notation vector := (nat -> R).

Section Vectors.
  Variable d : nat.

  Definition dot (u v : vector) : R := sum (fun i => u i * v i) (seq 0 d).
  Definition norm (v : vector) : R := sqrt (dot v v).
  Definition equal (u v : vector) : Prop := forall i, (i < d)%nat -> u i = v i.

  Lemma dot_nonneg v : 0 <= dot v v.
  Proof. apply sum_sq_nonneg. Qed.

  Lemma dot_zero v : dot v v = 0 <-> equal v (fun _ => 0).
  Proof.
    unfold dot; split.
    - intros H i Hi. assert (v i * v i = 0); [|nra].
      apply (sum_zero_inv (fun i => v i * v i) (seq 0 d)); auto; [intros; nra|apply in_seq; lia].
    - intros H; apply sum_zero; intros i Hi; apply in_seq in Hi; rewrite H by lia; ring.
  Qed.

  Lemma dot_scal a b u v : dot (fun i => a * u i) (fun i => b * v i) = a * b * dot u v.
  Proof. unfold dot; rewrite <- sum_scal; apply sum_eq; intros; ring. Qed.

  Lemma norm_nonneg v : 0 <= norm v.
  Proof. apply sqrt_pos. Qed.

  Lemma norm_eq u v : equal u v -> norm u = norm v.
  Proof.
    intros H; unfold norm, dot. f_equal. apply sum_eq; intros i Hi; apply in_seq in Hi. rewrite H by lia; auto.
  Qed.

  Lemma norm_zero : norm (fun _ => 0) = 0.
  Proof. unfold norm. rewrite (proj2 (dot_zero _)), sqrt_0; easy. Qed.

  Lemma norm_scal c v : norm (fun i => c * v i) = Rabs c * norm v.
  Proof.
    unfold norm. rewrite dot_scal, sqrt_mult_alt by nra. f_equal. apply sqrt_Rsqr_abs.
  Qed.

  Lemma norm_triangle u v : norm (fun i => u i + v i) <= norm u + norm v.
  Proof. apply minkowski. Qed.

  Lemma norm_sum {A} (v : A -> vector) l : norm (fun i => sum (fun a => v a i) l) <= sum (fun a => norm (v a)) l.
  Proof.
    induction l as [|a l IH]; simpl; [rewrite norm_zero; lra|].
    eapply Rle_trans; [apply norm_triangle|]. lra.
  Qed.

  (* With at most one summand that is not 0, the norm of the sum is the sum of the norms. *)
  Lemma norm_sum_alone {A} (v : A -> vector) l :
    ForallOrdPairs (fun a b => norm (v a) = 0 \/ norm (v b) = 0) l ->
    norm (fun i => sum (fun a => v a i) l) = sum (fun a => norm (v a)) l.
  Proof.
    induction 1 as [|a l F _ IH]; simpl; [apply norm_zero|].
    assert (zero : forall w, norm w = 0 -> equal w (fun _ => 0)).
    { intros w H. apply dot_zero, sqrt_eq_0; [apply dot_nonneg|exact H]. }
    destruct (Req_dec (norm (v a)) 0) as [Z|N].
    - rewrite Z, Rplus_0_l, <- IH. apply norm_eq; intros i Hi. rewrite (zero _ Z i Hi). ring.
    - rewrite Forall_forall in F. assert (Z : forall b, In b l -> norm (v b) = 0).
      { intros b Hb; destruct (F b Hb); [contradiction|auto]. }
      rewrite (sum_zero (fun b => norm (v b)) l Z), Rplus_0_r. apply norm_eq; intros i Hi.
      rewrite sum_zero; [ring|]. intros b Hb. apply (zero _ (Z b Hb)); auto.
  Qed.
End Vectors.
